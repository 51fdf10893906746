"""What may judge a challenger: data that the quality gate accepted, of real customers."""

import pytest

from churn.data.quality.quality_report import REAL_CUSTOMERS, Check, QualityReport
from churn.promotion.contenders import TrainingVerdict
from churn.promotion.evidence_gates import data_gate


def check(name, *, severity="warning", success=False) -> Check:
    words = dict.fromkeys(("sentence", "observed", "expected", "way_out"), "it is said.")
    return Check(
        name=name, topic="values", expectation="", columns=("id",), severity=severity,
        success=success, **words,
    )  # fmt: skip


def quality(*checks: Check) -> QualityReport:
    verdict = max((each.verdict for each in checks), key=["pass", "warn", "fail"].index)
    return QualityReport(
        contract="telco", contract_digest="", title="", rows=1000, columns=21, accepted_rows=None,
        verdict=verdict, checks=checks,
    )  # fmt: skip


def trained(profile="full", **override) -> TrainingVerdict:
    return TrainingVerdict("promote", model="telco-churn", profile=profile, splits=50, **override)


@pytest.mark.parametrize("success", [True, False])
def test_data_with_warnings_at_most_are_accepted(success):
    gate = data_gate(quality(check("range of tenure", success=success)), trained())

    assert gate.verdict == "pass"
    assert "synthetic" not in gate.sentence


def test_refused_data_and_no_report_hold():
    refused = data_gate(quality(check("range of tenure", severity="critical")), trained())

    assert refused.verdict == "insufficient evidence"
    assert data_gate(None, trained()).verdict == "insufficient evidence"


@pytest.mark.parametrize("training", [trained(), trained("quick"), trained(None), None])
def test_synthetic_customers_hold_the_model(training):
    gate = data_gate(quality(check(REAL_CUSTOMERS)), training)

    assert gate.verdict == "insufficient evidence"
    assert (
        "The customers are synthetic: how the model does on real ones is not known."
        in gate.sentence
    )


def test_a_person_can_answer_for_synthetic_customers():
    overridden = trained(overridden_by="Ada", override_reason="a load test")
    gate = data_gate(quality(check(REAL_CUSTOMERS)), overridden)

    assert (gate.verdict, gate.overridden) == ("pass", True)
    assert gate.sentence.endswith("Ada overrides that: a load test.")


def test_a_demonstration_needs_no_person_and_says_that_the_customers_are_synthetic():
    gate = data_gate(quality(check(REAL_CUSTOMERS)), trained("demo"))

    assert (gate.verdict, gate.overridden) == ("pass", False)
    assert "synthetic" in gate.sentence


def test_refused_synthetic_customers_are_refused_whoever_overrides():
    refused = quality(check("blanks", severity="critical"), check(REAL_CUSTOMERS))
    gate = data_gate(refused, trained(overridden_by="Ada", override_reason="a load test"))

    assert (gate.verdict, gate.overridden) == ("insufficient evidence", False)
