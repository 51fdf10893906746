"""From a trained version to production and back, on a control plane in memory."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from churn.errors import InputError
from churn.ledger.records import Ledger
from churn.promotion.decision import Gate, decide
from churn.promotion.promotion_outcome import PromotionPair
from tests.steps.conftest import MODEL, SETTINGS


def test_decide_promotion_asks_every_gate_of_a_first_model(decision, evaluation):
    assert evaluation.model in decision.challenger
    # Two splits are too little evidence against the baseline, so the model is held.
    assert decision.verdict == "hold"
    assert [(gate.name, gate.verdict) for gate in decision.gates] == [
        ("enough gate rows", "pass"),
        ("ranks well", "pass"),
        ("well calibrated", "pass"),
        ("not too good to be true", "pass"),
        ("not worse than the baseline", "insufficient evidence"),
    ]


def test_register_model_stages_what_its_gates_let(registered, control_plane, promoting):
    assert registered() == "1"

    (version,) = control_plane.versions
    assert version.stage == "staging"
    assert version.run_metadata["gates"] == {"given": "pass"}
    assert version.run_metadata["profile"] == "demo"
    assert version.run_metadata["protocol_splits"] == 2


@pytest.fixture
def reports(protocol, model):
    """Fifty splits that leave the chosen recipe out, and two of the nested protocol that judge it."""
    others = tuple(each for each in protocol.candidates if each.name != model.recipe)
    plan = protocol.plan.model_copy(update={"repeats": 25})
    return protocol.model_copy(update={"plan": plan, "candidates": others}), protocol


def test_register_model_keeps_the_splits_of_the_report_that_judges_the_recipe(
    control_plane, model, selection, evaluation, promoting, write, settings, reports
):
    from steps.promotion.register_model import register_model

    whole, nested = reports

    register_model.entrypoint(
        model, selection, whole, evaluation, promoting, write(whole, nested), settings["model"]
    )

    assert whole.plan.splits == 50
    assert control_plane.versions[0].run_metadata["protocol_splits"] == 2


def test_register_model_keeps_a_rejected_model_from_its_stage(registered, control_plane):
    failed = Gate(name="given", figure=0, threshold=1, verdict="fail", sentence="It fails.")

    registered(decide([failed], challenger="version 1", champion=None, basis="Given by a test."))

    assert control_plane.versions[0].stage is None
    assert control_plane.versions[0].run_metadata["verdict"] == "reject"


def test_find_pair_finds_the_staged_version(registered, control_plane, folders):
    from steps.promotion.find_pair import find_pair

    with pytest.raises(InputError, match="no staged version to promote"):
        find_pair.entrypoint(MODEL, "", folders)
    registered()

    pair = find_pair.entrypoint(MODEL, "", folders)

    assert (pair.challenger, pair.champion) == ("1", None)


def test_find_pair_says_that_training_held_the_newest_version(registered, control_plane, folders):
    from steps.promotion.find_pair import find_pair

    failed = Gate(name="given", figure=0, threshold=1, verdict="fail", sentence="It fails.")
    registered(decide([failed], challenger="version 1", champion=None, basis="Given by a test."))

    with pytest.raises(InputError) as refused:
        find_pair.entrypoint(MODEL, "", folders)

    assert "held or rejected version 1" in str(refused.value)
    assert "--set challenger=1 and --set override.person" in str(refused.value)
    assert "run.py --pipeline training" not in str(refused.value)  # it would say the same again
    with pytest.raises(InputError, match=r"has no version '7' to promote\. Train one"):
        find_pair.entrypoint(MODEL, "7", folders)


@pytest.fixture
def poorer(customers, split, recipes):
    """A champion that learned from a tenth of the development rows, by the plain baseline."""
    from churn.features.encoding import encode, encode_target, take
    from churn.models.recipe_catalog import build_candidates
    from churn.models.recipe_settings import LogisticSettings
    from churn.models.trained import TrainedModel

    contract, some = customers.contract, split.development[::10]
    settings = LogisticSettings()
    return TrainedModel.train(
        build_candidates(["logistic"], {"logistic": settings}, contract)["logistic"],
        take(encode(customers.frame, contract), some),
        encode_target(customers.frame, contract)[some],
        contract=contract,
        data_sha256=customers.source.sha256,
        settings=settings,
    )


def test_judge_pair_compares_both_on_the_challengers_gate_rows(
    registered, linked, control_plane, model, poorer, customers, split, folders
):
    from sklearn.metrics import roc_auc_score

    from churn.features.encoding import encode, encode_target, take
    from registry.artifacts import Artifact
    from steps.promotion.judge_pair import judge_pair

    for _ in range(2):
        registered()
    linked()
    champion, _ = control_plane.versions
    champion.artifacts[Artifact.MODEL] = poorer

    decision = judge_pair.entrypoint(
        PromotionPair(model=MODEL, challenger="2", champion="1"), SETTINGS, folders
    )

    gates = {gate.name: gate for gate in decision.gates}
    assert decision.champion.startswith("version 1")
    rows = take(encode(customers.frame, customers.contract), split.gate)
    left = encode_target(customers.frame, customers.contract)[split.gate]
    areas = [roc_auc_score(left, each.model.logit(rows)) for each in (model, poorer)]
    ranking = gates["ranks no worse than the champion"]
    assert ranking.figure == pytest.approx(areas[0] - areas[1], abs=1e-12)
    assert ranking.figure > 0.005
    assert gates["bundle replays its golden rows"].verdict == "pass"


def test_judge_pair_says_that_two_contracts_cannot_be_compared(
    registered, linked, control_plane, customers, folders
):
    from registry.artifacts import Artifact
    from steps.promotion.judge_pair import judge_pair

    for _ in range(2):
        registered()
    linked()
    other = customers.contract.model_copy(update={"name": "insurance"})
    champion, _ = control_plane.versions
    champion.artifacts[Artifact.CUSTOMERS] = replace(customers, contract=other)

    decision = judge_pair.entrypoint(
        PromotionPair(model=MODEL, challenger="2", champion="1"), SETTINGS, folders
    )

    assert decision.verdict == "hold"
    (reason,) = decision.reasons
    assert "models of two contracts cannot be compared" in reason


def test_a_quick_model_is_held_and_a_demonstration_passes_among_its_own(
    registered, linked, control_plane, folders
):
    from steps.promotion.judge_pair import judge_pair

    registered()
    linked()
    (version,) = control_plane.versions
    pair = PromotionPair(model=MODEL, challenger="1", champion=None)
    found = {}
    for profile in ("demo", "quick", None):
        version.run_metadata["profile"] = profile
        decision = judge_pair.entrypoint(pair, SETTINGS, folders)
        (gate,) = (each for each in decision.gates if each.name == "measured by the protocol")
        found[profile] = gate.verdict
    override = {"person": "Ada", "version": "1", "reason": "a pilot"}
    version.run_metadata["profile"] = "quick"
    overridden = judge_pair.entrypoint(pair, SETTINGS | {"override": override}, folders)

    unknown = "insufficient evidence"
    assert found == {"demo": "pass", "quick": unknown, None: unknown}
    (gate,) = (each for each in overridden.gates if each.name == "measured by the protocol")
    assert (gate.verdict, "Ada overrides that: a pilot." in gate.sentence) == ("pass", True)


@pytest.mark.parametrize(
    ("linked_report", "figure", "said"),
    [(True, 2, "Over 2 splits the model gains"), (False, 0, "No difference to the baseline")],
)
def test_what_only_the_nested_protocol_measured_is_held(
    registered, linked, control_plane, folders, reports, linked_report, figure, said
):
    from registry.artifacts import Artifact
    from steps.promotion.judge_pair import judge_pair

    registered()
    linked()
    (version,) = control_plane.versions
    version.run_metadata["profile"] = "deep"
    version.artifacts[Artifact.PROTOCOL], nested = reports
    if linked_report:
        version.artifacts[Artifact.NESTED] = nested

    decision = judge_pair.entrypoint(
        PromotionPair(model=MODEL, challenger="1", champion=None), SETTINGS, folders
    )

    gates = {gate.name: gate for gate in decision.gates}
    gate = gates["measured by the protocol"]
    assert (gate.verdict, gate.figure) == ("insufficient evidence", figure)
    assert said in gates["not worse than the baseline"].sentence
    assert decision.verdict == "hold"


def judged_against(earlier, folders, champion="2", challenger="3"):
    """Records decisions as (version, champion, fields) and judges the challenger after them."""
    from steps.promotion.judge_pair import judge_pair

    pair = PromotionPair(model=MODEL, challenger=challenger, champion=champion)
    with Ledger(folders["ledger"]) as ledger:
        for version, before, decision in earlier:
            ledger.record_decision(MODEL, version, decision, champion_version=before)
    return judge_pair.entrypoint(pair, SETTINGS, folders)


def test_the_ledger_says_which_look_it_is_and_which_version_is_the_best(
    registered, linked, control_plane, model, poorer, folders, promoting
):
    from registry.artifacts import Artifact

    # given a first version that was better than the second, which is in production
    for _ in range(4):
        registered()
    linked()
    control_plane.versions[1].artifacts[Artifact.MODEL] = poorer
    looked = promoting.model_copy(update={"hashes": {"gate_rows": "an older release's"}})

    decision = judged_against([("1", None, looked), ("2", "1", looked)], folders)

    # then the third is held against both, at the third look, for all that is known of the rows
    gates = {gate.name: gate for gate in decision.gates}
    assert (decision.looks.here, decision.looks.ever) == (3, 3)
    assert "The best version so far is version 1" in decision.basis
    assert gates["ranks no worse than the best so far"].figure == 0
    assert gates["earns no less than the best so far"].figure == 0
    assert gates["ranks no worse than the champion"].figure > 0.005
    assert "logistic of version 1's" in gates["ranks no worse than the frozen baseline"].sentence
    assert decision.gate_rows.complete

    # and once it is recorded, the same again is the same look, and another challenger the fourth
    record = [("3", "2", decision)]
    again = judged_against(record, folders)
    assert again.looks == decision.looks
    assert again.gates[:-1] == decision.gates[:-1]  # the last one is a latency
    assert judged_against([], folders, challenger="4").looks.here == 4


def test_a_best_version_that_cannot_score_these_rows_is_passed_over_and_named(
    registered, linked, control_plane, customers, folders, promoting
):
    from dataclasses import replace

    from registry.artifacts import Artifact

    # given a third version that led, and is deleted; a second that led, under other columns
    for _ in range(5):
        registered()
    linked()
    contract = customers.contract.model_copy(update={"columns": customers.contract.columns[:-2]})
    other = replace(customers, contract=contract)
    control_plane.versions[1].artifacts[Artifact.CUSTOMERS] = other
    del control_plane.versions[2]
    led = promoting.model_copy(update={"hashes": {"gate_rows": "given"}, "leads": True})
    earlier = [(str(n), str(n - 1), led) for n in (2, 3)] + [("4", "3", promoting)]
    earlier[-1] = ("4", "3", led.model_copy(update={"leads": False}))

    decision = judged_against(earlier, folders, champion="4", challenger="5")

    assert "The best version so far is version 1" in decision.basis
    assert "Version 3 was better, but is gone" in decision.basis
    assert "Version 2 was better, but has other columns" in decision.basis


def test_a_ledger_that_cannot_be_read_holds(registered, linked, folders, tmp_path):
    for _ in range(2):
        registered()
    linked()
    (tmp_path / "ledger.db").write_bytes(b"no database" * 500)
    pair = PromotionPair(model=MODEL, challenger="2", champion="1")

    from steps.promotion.judge_pair import judge_pair

    decision = judge_pair.entrypoint(pair, SETTINGS, folders)

    assert decision.verdict == "hold"
    assert "ledger" in decision.sentence


def test_judge_pair_holds_a_version_that_cannot_be_judged(registered, folders):
    from steps.promotion.judge_pair import judge_pair

    registered()  # nothing is linked to it

    decision = judge_pair.entrypoint(
        PromotionPair(model=MODEL, challenger="1", champion=None), SETTINGS, folders
    )

    assert decision.verdict == "hold"
    assert "cannot be judged" in " ".join(decision.reasons)


@pytest.mark.parametrize(
    ("changes", "registered_again"),
    [({}, "1"), ({"profile": "quick"}, "2"), ({"profile": None}, "2")],
)
def test_a_model_that_more_of_the_protocol_measured_is_a_version_of_its_own(
    registered, control_plane, monkeypatch, changes, registered_again
):
    """The fit may come from the cache, with the artifact that a smaller run has registered."""
    from steps.promotion import register_model

    registered()
    (version,) = control_plane.versions
    version.run_metadata.update(changes)
    cached = SimpleNamespace(
        inputs={"model": [SimpleNamespace(id=7)]}, pipeline_run=SimpleNamespace(id=None)
    )
    monkeypatch.setattr(register_model, "step_context", lambda: cached)
    control_plane.newest_version_with = lambda _artifact, _name: version

    assert registered() == registered_again
