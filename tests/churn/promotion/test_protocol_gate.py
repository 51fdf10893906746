"""What may go to production: only what the whole protocol measured, unless a person says otherwise."""

import pytest

from churn.evaluation.plan import PromotionSettings
from churn.promotion.contenders import TrainingVerdict
from churn.promotion.evidence_gates import protocol_gate
from tests.churn.promotion.test_promotion_challenger import (
    FLOORS,
    contenders,
    found,
    judge,
    verdicts,
    world,
)

__all__ = ["contenders", "world"]

SETTINGS = PromotionSettings()


def trained(profile, splits=50, model="telco-churn", **override):
    return TrainingVerdict("promote", model=model, profile=profile, splits=splits, **override)


@pytest.mark.parametrize("profile", ["full", "deep"])
def test_what_the_whole_protocol_measured_passes(profile):
    gate = protocol_gate(trained(profile), SETTINGS)

    assert gate.verdict == "pass"
    assert gate.sentence == f"Measured by the protocol, with profile={profile} (50 splits)."


@pytest.mark.parametrize(
    ("profile", "splits", "said"),
    [
        ("quick", 15, "Not measured by the protocol: profile=quick (15 splits, not 50)."),
        ("quick", 50, "Not measured by the protocol: profile=quick (50 splits)."),
        ("full", 49, "Not measured by the protocol: profile=full (49 splits, not 50)."),
        ("deep", 0, "Not measured by the protocol: profile=deep (no report has its recipe)."),
        (None, 50, "Not known: the profile it was trained with was not recorded (50 splits)."),
    ],
)
def test_anything_less_is_held_until_a_person_overrides_it(profile, splits, said):
    held = protocol_gate(trained(profile, splits), SETTINGS)
    overridden = protocol_gate(
        trained(profile, splits, overridden_by="Ada", override_reason="a pilot."), SETTINGS
    )

    assert (held.verdict, held.figure, held.threshold) == ("insufficient evidence", splits, 50)
    assert held.sentence.startswith(said)
    assert "override.person, override.version and override.reason" in held.sentence
    assert overridden.verdict == "pass"
    assert overridden.sentence == f"{said} Ada overrides that: a pilot."
    assert (overridden.overridden, held.overridden) == (True, False)


def test_how_many_splits_are_asked_for_is_a_setting():
    fewer = PromotionSettings(protocol_splits=25)

    assert protocol_gate(trained("full", 25), fewer).verdict == "pass"
    assert protocol_gate(trained("full", 24), fewer).verdict == "insufficient evidence"


def test_a_demonstration_passes_among_demonstrations_and_nowhere_else_whoever_overrides():
    among_its_own = protocol_gate(trained("demo", 15, model="telco-churn-demo"), SETTINGS)
    elsewhere = protocol_gate(
        trained("demo", 50, overridden_by="Ada", override_reason="a pilot"), SETTINGS
    )

    assert among_its_own.verdict == "pass"
    assert "not for production" in among_its_own.sentence
    assert elsewhere.verdict == "insufficient evidence"
    assert "It stays in the registry and the store of demonstrations" in elsewhere.sentence


def test_a_version_of_an_unknown_training_is_held():
    assert protocol_gate(None, SETTINGS).verdict == "insufficient evidence"


def test_a_first_model_that_no_cross_validation_measured_is_held_by_the_gate_of_the_baseline(
    world, contenders
):
    low = FLOORS.model_copy(update={"roc_auc_lower": 0.6})
    measured = TrainingVerdict("promote", profile="deep", splits=50)
    unmeasured = TrainingVerdict("promote", profile="deep", splits=0)

    itself = judge(contenders["good"], None, world[0], floors=low, training=measured)
    held = judge(contenders["good"], None, world[0], floors=low, training=unmeasured)

    gate = found(held, "not worse than the baseline")
    assert (gate.verdict, gate.threshold) == ("insufficient evidence", -0.002)
    assert held.verdict == "hold"
    # what the protocol measured without a difference is the baseline itself
    assert itself.verdict == "promote"
    assert "not worse than the baseline" not in verdicts(itself)
