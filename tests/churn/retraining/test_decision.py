"""What a loop does next follows from what it has found, and never skips a gate."""

from __future__ import annotations

import itertools

import pytest

from churn.retraining.decision import decide_loop
from churn.retraining.evidence import ApprovalFacts, Compared, LoopEvidence, ProbationFacts
from tests.churn.retraining.loops import gate, judged, opened, served, trained

PROMOTED, DEPLOYED = served("promoted"), served("deployed")
WHOLE = {"training": trained(), "gates": judged(), "promotion": PROMOTED, "deployment": DEPLOYED}
STEPS = ["train", "judge", "promote", "deploy", "close"]


def adding(found, facts):
    """The same evidence with what an event has found."""
    return LoopEvidence.model_validate(found.model_dump(mode="json") | facts)


def up_to(count, **changes):
    return opened(**dict(itertools.islice(WHOLE.items(), count)) | changes)


@pytest.mark.parametrize("come", range(5))
def test_each_step_follows_the_one_before(come):
    decision = decide_loop(up_to(come))

    assert decision.next == STEPS[come]
    assert decision.outcome == ("promoted" if come == 4 else "open")
    assert decision.serving == ("2" if come >= 3 else "1")


@pytest.mark.parametrize("verdict", ["hold", "reject"])
def test_training_that_does_not_clear_it_keeps_the_champion(verdict):
    decision = decide_loop(opened(training=trained(verdict)))

    assert (decision.outcome, decision.next, decision.serving) == ("kept", "close", "1")


@pytest.mark.parametrize("verdict", ["fail", "insufficient evidence"])
def test_one_gate_that_does_not_pass_keeps_the_champion(verdict):
    gates = judged(gate(), gate(verdict=verdict, name="well calibrated"))

    decision = decide_loop(opened(training=trained(), gates=gates))

    assert (decision.outcome, decision.next, decision.serving) == ("kept", "close", "1")
    assert decision.judged[-1].name == "gates"


def test_a_training_that_gives_the_champion_again_keeps_it():
    same = trained().model_copy(update={"version": "1"})

    decision = decide_loop(opened(training=same))

    assert (decision.outcome, decision.next) == ("kept", "close")


def test_a_promotion_that_was_kept_back_deploys_nothing():
    decision = decide_loop(up_to(2, promotion=served("kept back", "1")))

    assert (decision.outcome, decision.next, decision.serving) == ("kept", "close", "1")


def test_a_deployment_that_failed_its_smoke_test_is_rolled_back():
    failed = up_to(3, deployment=served("rolled back", "1"))

    assert decide_loop(failed).next == "roll back"
    back = adding(failed, {"rollback": served("restored", "1").model_dump()})
    assert (decide_loop(back).outcome, decide_loop(back).serving) == ("rolled back", "1")


def test_what_was_given_up_before_it_served_is_over():
    decision = decide_loop(opened(stopped="A newer snapshot came."))

    assert (decision.outcome, decision.next) == ("given up", "close")


def test_shadow_canary_and_approval_stand_between_gates_and_promotion():
    rules = {
        "shadow": {"predictions": 100},
        "canary": {"percent": 5, "predictions": 50},
        "approval": {"required": True},
        "probation": {"days": 0},
    }
    seen = Compared(predictions=100, mean=0.25, champion_mean=0.27)
    found = opened(rules=rules, training=trained(), gates=judged())
    steps = []
    for name, facts in (
        ("shadow", seen),
        ("canary", seen),
        ("approval", ApprovalFacts(person="Ada")),
    ):
        steps.append(decide_loop(found).next)
        found = adding(found, {name: facts.model_dump(mode="json")})

    assert steps == ["shadow", "canary", "approve"]
    assert decide_loop(found).next == "promote"


def test_an_approval_that_nobody_gave_in_time_holds_it():
    rules = {"approval": {"required": True}}

    found = opened(
        rules=rules, training=trained(), gates=judged(), approval=ApprovalFacts(person="")
    )

    assert (decide_loop(found).outcome, decide_loop(found).next) == ("kept", "close")


def test_a_fall_in_probation_is_rolled_back():
    found = opened(rules={"probation": {"days": 30}}, **WHOLE)
    assert decide_loop(found).next == "watch"

    fell = ProbationFacts(outcomes=500, roc_auc=0.7, roc_auc_upper=0.75, days=3)
    found = adding(found, {"probation": fell.model_dump(mode="json")})

    assert decide_loop(found).next == "roll back"
    assert "ROC-AUC is 0.700" in decide_loop(found).reason


def test_the_same_evidence_gives_the_same_decision_after_a_round_trip():
    found = up_to(4)

    again = type(found).model_validate_json(found.model_dump_json())

    assert decide_loop(again).model_dump_json() == decide_loop(found).model_dump_json()
