"""What the gates are told about two versions: whose rows they learned from, and who judges."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest

from churn.contract import DataContract
from churn.data import Dataset
from churn.data.split import split_rows
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
        protocol=SimpleNamespace(candidates=()),
        threshold=None,
        card=None,
        git_commit=None,
        trained_at=datetime.now(UTC),
        verdict="promote",
        reasons=(),
    )


def test_the_customers_behind_both_versions_are_compared_by_id(telco, contract, real, monkeypatch):
    # given a champion of last month, when ids were not yet said to last, and a challenger of today
    frame = telco.frame.head(2000)
    older = frame.assign(tenure=frame["tenure"] + 1)
    first, *others = contract.model_dump()["columns"]
    del first["surrogate"]
    undeclared = DataContract.model_validate(contract.model_dump() | {"columns": [first, *others]})
    versions = {
        "1": trained("1", frame, undeclared, telco),
        "2": trained("2", older, real, telco),
    }
    monkeypatch.setattr(judgement, "_load", lambda _, name: versions[name])
    monkeypatch.setattr(judgement, "_check_bundle", lambda *_: None)
    threshold = Threshold(value=0.5, basis="profit")
    monkeypatch.setattr(TrainedVersion, "bundle_threshold", threshold)

    decision = judgement.judge_versions(
        PromotionPair(model="m", challenger="2", champion="1"), PromotionPipelineSettings()
    )

    gates = {gate.name: gate for gate in decision.gates}
    for who, name in (("challenger", "version 2 (flat)"), ("champion", "version 1 (flat)")):
        gate = gates[f"{who} has not seen the gate rows"]
        assert gate.verdict == "pass"
        assert f"is of a customer that {name} learned from" in gate.sentence

    # and once the champion was split otherwise, its customers are found though their rows differ
    versions["1"] = trained("1", frame, contract, telco)
    object.__setattr__(versions["1"].customers, "contract", undeclared)
    decision = judgement.judge_versions(
        PromotionPair(model="m", challenger="2", champion="1"), PromotionPipelineSettings()
    )
    gate = next(each for each in decision.gates if each.name.startswith("champion has"))
    ids = frame[contract.id.name].to_numpy()
    shared = np.isin(ids[versions["2"].split.gate], ids[versions["1"].split.development])
    assert gate.verdict == "insufficient evidence"
    assert gate.figure == shared.sum() > 200
