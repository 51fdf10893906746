"""What the gates are told about two versions: whose rows they learned from, and who judges."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest

from churn.contract import DataContract
from churn.data import Dataset
from churn.data.split import split_rows
from churn.evaluation.comparison import compare_folds
from churn.evaluation.metrics import Metrics
from churn.evaluation.plan import ProtocolPlan
from churn.evaluation.protocol import CandidateResult, ProtocolReport
from churn.promotion.promotion_outcome import PromotionPair
from churn.scoring.bundle import Threshold
from churn.settings.pipelines import PromotionPipelineSettings
from registry import judgement
from registry.versions import TrainedVersion


@pytest.fixture
def real(contract):
    """The shipped contract, if its ids were the company's own."""
    first, *others = contract.model_dump()["columns"]
    columns = [first | {"surrogate": False}, *others]
    return DataContract.model_validate(contract.model_dump() | {"columns": columns})


def measured(recipe, repeats=10, baseline="logistic"):
    """A report on the baseline and a recipe that gains 0.01 on each of five splits a repeat."""
    plan = ProtocolPlan(folds=5, repeats=repeats, bootstrap_samples=0)
    usual = (0.84,) * plan.splits
    better = (0.85,) * plan.splits
    gained = compare_folds(recipe, better, baseline, usual, folds=plan.folds)
    metrics = dict.fromkeys(Metrics.model_fields, 0.5) | {"rows": 1000, "positives": 250}
    return ProtocolReport(
        plan=plan,
        baseline=baseline,
        rows=1000,
        positives=250,
        candidates=tuple(
            CandidateResult(
                name=name,
                metrics=Metrics(**metrics),
                fold_roc_auc=folds,
                roc_auc_interval=None,
                against_baseline=against,
            )
            for name, folds, against in ((baseline, usual, None), (recipe, better, gained))
        ),
    )


def trained(number, frame, contract, telco):
    scores = SimpleNamespace(
        recipe="flat",
        data_sha256="0" * 64,
        logit=lambda columns: np.zeros(len(columns["tenure"])),
        probability=lambda columns: np.full(len(columns["tenure"]), 0.5),
    )
    return TrainedVersion(
        version=number,
        model=scores,
        customers=Dataset(frame, contract, telco.source),
        split=split_rows(frame, contract, gate_fraction=0.2, seed=11),
        quality=None,
        protocol=measured("flat"),
        nested=None,
        threshold=None,
        card=None,
        git_commit=None,
        trained_at=datetime.now(UTC),
        verdict="promote",
        reasons=(),
        profile="full",
    )


@pytest.fixture
def judge(monkeypatch):
    """Judges version 2 against version 1 as given, or by the floors alone."""

    def judged(versions, champion="1"):
        monkeypatch.setattr(judgement, "_load", lambda _, name: versions[name])
        monkeypatch.setattr(judgement, "_check_bundle", lambda *_: None)
        monkeypatch.setattr(judgement, "_fixed_reference", lambda *_: None)
        threshold = Threshold(value=0.5, basis="profit")
        monkeypatch.setattr(TrainedVersion, "bundle_threshold", threshold)
        pair = PromotionPair(model="m", challenger="2", champion=champion)
        return judgement.judge_versions(pair, PromotionPipelineSettings(), ())

    return judged


@pytest.fixture
def gates(contract, real, telco, judge):
    """Judges a challenger of today against a champion of a month ago, split by some contract."""

    def judged(champion_split):
        # given customers a month older, and a champion from before the contract had the field
        frame = telco.frame.head(2000)
        first, *others = contract.model_dump()["columns"]
        del first["surrogate"]
        undeclared = contract.model_dump() | {"columns": [first, *others]}
        champion = trained("1", frame, champion_split, telco)
        customers = Dataset(frame, DataContract.model_validate(undeclared), telco.source)
        versions = {
            "1": replace(champion, customers=customers),
            "2": trained("2", frame.assign(tenure=frame["tenure"] + 1), real, telco),
        }
        return {gate.name: gate for gate in judge(versions).gates}, versions

    return judged


def test_both_versions_learned_from_other_customers_than_those_who_judge(gates, real):
    found, _ = gates(real)

    for who, name in (("challenger", "version 2 (flat)"), ("champion", "version 1 (flat)")):
        gate = found[f"{who} has not seen the gate rows"]
        assert gate.verdict == "pass"
        assert f"is of a customer that {name} learned from" in gate.sentence


def test_customers_of_a_champion_that_was_split_by_content_are_found(gates, contract, telco):
    found, versions = gates(contract)

    gate = found["champion has not seen the gate rows"]
    ids = telco.frame.head(2000)[contract.id.name].to_numpy()
    judges, learned = versions["2"].split.gate, versions["1"].split.development
    assert gate.verdict == "insufficient evidence"
    assert gate.figure == np.isin(ids[judges], ids[learned]).sum() > 200


@pytest.fixture
def dated(real):
    """The same contract, with a day on every row."""
    day = {"name": "observed_on", "kind": "date", "meaning": "Day of the row"}
    content = real.model_dump()
    return DataContract.model_validate(content | {"columns": [*content["columns"], day]})


def on_days(frame, seed):
    days = np.random.default_rng(seed).integers(1, 29, len(frame))
    return frame.assign(observed_on=[f"2026-{seed:02d}-{day:02d}" for day in days])


def test_customers_that_the_champion_knows_from_an_earlier_day_judge_nobody(judge, dated, telco):
    frame = telco.frame.head(2000)
    versions = {
        "1": trained("1", on_days(frame, 1), dated, telco),
        "2": trained("2", on_days(frame, 2), dated, telco),
    }

    decision = judge(versions)

    ids = frame[dated.id.name].to_numpy()
    latest, learned = versions["2"].split.gate, versions["1"].split.development
    known = int(np.isin(ids[latest], ids[learned]).sum())
    assert 0 < known < len(latest)
    gates = {gate.name: gate for gate in decision.gates}
    assert gates["champion has not seen the gate rows"].verdict == "pass"
    assert gates["enough gate rows"].figure == len(latest) - known
    assert f"on the same {len(latest) - known:,} customers" in decision.basis
    assert (
        f"{known:,} more gate rows are of customers that version 1 (flat) knows" in decision.basis
    )


def test_a_champion_that_knows_everybody_who_could_judge_holds_the_challenger(judge, dated, telco):
    frame = telco.frame.head(2000)
    second = trained("2", on_days(frame, 2), dated, telco)
    first = trained("1", frame.assign(observed_on="2026-01-01"), dated, telco)
    everybody = replace(
        first, split=replace(first.split, development=np.arange(len(frame)), gate=np.arange(0))
    )

    decision = judge({"1": everybody, "2": second})

    gates = {gate.name: gate for gate in decision.gates}
    assert gates["champion has not seen the gate rows"].verdict == "insufficient evidence"
    assert gates["enough gate rows"].figure == len(second.split.gate)


PROTOCOL, BASELINE = "measured by the protocol", "not worse than the baseline"


@pytest.fixture
def first_model(judge, real, telco):
    """Judges a first model of the deep profile, whose recipe is `flat`, by its reports."""

    def judged(protocol, nested):
        version = trained("2", telco.frame.head(2000), real, telco)
        version = replace(version, profile="deep", protocol=protocol, nested=nested)
        return {gate.name: gate for gate in judge({"2": version}, champion=None).gates}

    return judged


@pytest.mark.parametrize("nested", [None, measured("flat", repeats=1)])
def test_a_recipe_that_the_whole_protocol_measured_is_judged_by_it(first_model, nested):
    gates = first_model(measured("flat"), nested)

    assert (gates[PROTOCOL].verdict, gates[PROTOCOL].figure) == ("pass", 50)
    assert gates[BASELINE].verdict == "pass"
    assert gates[BASELINE].sentence.startswith("Over 50 splits the model gains +0.0100")


def test_a_recipe_that_only_the_nested_protocol_measured_is_held_at_its_splits(first_model):
    gates = first_model(measured("gbm"), measured("flat", repeats=1))

    assert (gates[PROTOCOL].verdict, gates[PROTOCOL].figure) == ("insufficient evidence", 5)
    assert "profile=deep (5 splits, not 50)" in gates[PROTOCOL].sentence
    assert gates[BASELINE].verdict == "pass"
    assert gates[BASELINE].sentence.startswith("Over 5 splits the model gains +0.0100")


@pytest.mark.parametrize("nested", [None, measured("gbm", repeats=1)])
def test_a_recipe_that_no_report_measured_is_held_and_the_gates_say_so(first_model, nested):
    gates = first_model(measured("gbm"), nested)

    assert gates[PROTOCOL].verdict == gates[BASELINE].verdict == "insufficient evidence"
    assert "no report has its recipe" in gates[PROTOCOL].sentence
    assert gates[BASELINE].sentence.startswith("No difference to the baseline")


def test_the_baseline_as_a_first_model_is_not_compared_with_itself(first_model):
    gates = first_model(measured("gbm", baseline="flat"), None)

    assert gates[PROTOCOL].verdict == "pass"
    assert BASELINE not in gates
