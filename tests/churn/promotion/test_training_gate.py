"""A version that its training held goes no further, unless a person takes the responsibility."""

import pytest

from churn.promotion.contenders import TrainingVerdict
from churn.promotion.evidence_gates import training_gate

WHY = ("The gate rows' ROC-AUC does not clear the floor of 0.8.",)


def test_a_version_that_training_cleared_passes():
    assert training_gate(TrainingVerdict("promote")).verdict == "pass"


@pytest.mark.parametrize(
    ("verdict", "judged"), [("hold", "insufficient evidence"), ("reject", "fail")]
)
def test_what_training_held_is_held_and_what_it_rejected_is_rejected(verdict, judged):
    gate = training_gate(TrainingVerdict(verdict, WHY))
    assert gate.verdict == judged
    assert WHY[0] in gate.sentence
    assert "override.person" in gate.sentence


@pytest.mark.parametrize("verdict", ["hold", "reject"])
def test_a_person_overrides_it_with_a_reason_that_is_kept(verdict):
    gate = training_gate(TrainingVerdict(verdict, WHY, "Ada", "the floor is for larger tables"))
    assert gate.verdict == "pass"
    assert gate.sentence.endswith(f"{WHY[0]} Ada overrides that: the floor is for larger tables.")
    assert gate.overridden


def test_an_unknown_verdict_holds():
    assert training_gate(None).verdict == "insufficient evidence"
