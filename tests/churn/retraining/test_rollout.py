"""Shadow, canary and probation: either side of every limit, and too little to tell."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from churn.retraining.evidence import Compared, ProbationFacts
from churn.retraining.rollout import judge_canary, judge_probation, judge_shadow
from churn.settings.retraining_rules import CanaryRules, ProbationRules, ShadowRules
from tests.churn.retraining.loops import gate, judged

SHADOW = ShadowRules(predictions=100, most_missing=0.01, most_shift=0.1, days=7)
CANARY = CanaryRules(percent=5, predictions=100, most_errors=0.01, most_latency_ms=50, days=7)
PROBATION = ProbationRules(days=30, least_outcomes=200, most_fall=0.03, most_rate_gap=0.05)


def seen(**figures):
    return Compared(**{"predictions": 100, "mean": 0.25, "champion_mean": 0.25} | figures)


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        ({}, "pass"),
        ({"predictions": 99}, "wait"),
        ({"predictions": 99, "days": 7.0}, "wait"),
        ({"predictions": 99, "days": 7.1}, "fail"),
        ({"missing": 1}, "pass"),
        ({"missing": 2}, "fail"),
        ({"predictions": 10, "missing": 2}, "fail"),
        ({"mean": 0.349}, "pass"),
        ({"mean": 0.351}, "fail"),
        ({"mean": 0.149}, "fail"),
        ({"champion_mean": None}, "fail"),
    ],
)
def test_a_shadow(figures, verdict):
    assert judge_shadow(seen(**figures), SHADOW).verdict == verdict


def test_a_shadow_that_nobody_has_seen_waits():
    assert judge_shadow(None, SHADOW).verdict == "wait"


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        ({}, "pass"),
        ({"errors": 0.01, "latency_ms": 50.0}, "pass"),
        ({"errors": 0.011}, "fail"),
        ({"latency_ms": 50.1}, "fail"),
        ({"predictions": 3, "errors": 0.5}, "fail"),
        ({"predictions": 99}, "wait"),
        ({"predictions": 99, "days": 8.0}, "fail"),
        ({"mean": 0.4}, "fail"),
    ],
)
def test_a_canary(figures, verdict):
    assert judge_canary(seen(**figures), CANARY).verdict == verdict


@pytest.mark.parametrize(
    ("given", "addresses"),
    [
        ("", ()),
        ("http://one", ("http://one",)),
        (["http://one", "http://other"], ("http://one", "http://other")),
        ([], ()),
    ],
)
def test_the_service_of_a_canary_is_one_address_or_several(given, addresses):
    rules = CanaryRules.from_mapping({"service": given})

    assert rules.service == addresses
    assert CanaryRules.from_mapping(rules.model_dump(mode="json")) == rules


@pytest.mark.parametrize("given", [3, [3], [""], {"url": "http://one"}])
def test_what_is_no_address_is_refused(given):
    with pytest.raises(ValidationError):
        CanaryRules.from_mapping({"service": given})


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        ({}, "wait"),
        ({"days": 30.0}, "pass"),
        ({"outcomes": 200, "roc_auc": 0.79, "roc_auc_upper": 0.811}, "wait"),
        ({"outcomes": 200, "roc_auc": 0.79, "roc_auc_upper": 0.809}, "fail"),
        ({"outcomes": 199, "roc_auc": 0.79, "roc_auc_upper": 0.809}, "wait"),
        ({"estimated": 0.7, "estimated_upper": 0.811}, "wait"),
        ({"estimated": 0.7, "estimated_upper": 0.809}, "fail"),
    ],
)
def test_probation_by_the_ranking(figures, verdict):
    assert (
        judge_probation(ProbationFacts(**figures), judged(gate(0.84)), PROBATION).verdict == verdict
    )


@pytest.mark.parametrize(
    ("lower", "upper", "verdict"),
    [(0.29, 0.4, "wait"), (0.31, 0.4, "fail"), (0.1, 0.21, "wait"), (0.1, 0.19, "fail")],
)
def test_probation_by_the_churn_rate(lower, upper, verdict):
    rate = {"churn_rate": (lower + upper) / 2, "churn_rate_lower": lower, "churn_rate_upper": upper}

    found = judge_probation(ProbationFacts(outcomes=300, mean=0.25, **rate), judged(), PROBATION)

    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("figures", "could_see"),
    [
        ({"outcomes": 199}, False),
        ({"outcomes": 200}, True),
        ({"outcomes": 0, "estimated": 0.84, "estimated_upper": 0.86}, True),
    ],
)
def test_a_probation_that_ends_says_whether_a_fall_could_have_been_seen(figures, could_see):
    found = judge_probation(ProbationFacts(days=30, **figures), judged(gate(0.84)), PROBATION)

    assert found.verdict == "pass"
    assert ("could not have been seen" in found.sentence) is not could_see
