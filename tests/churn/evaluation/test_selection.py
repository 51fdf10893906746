from math import sqrt

import numpy as np
import pytest
from pydantic import ValidationError

from churn.evaluation.metrics import Metrics
from churn.evaluation.plan import ProtocolPlan, SelectionPlan
from churn.evaluation.protocol import CandidateResult, ProtocolReport
from churn.evaluation.selection import Selection, select_candidate

ONE = SelectionPlan(rule="one_standard_error")
BEST = SelectionPlan(rule="best", reason="its reasons are steadier")
UPS = np.array([1.0, -1.0] * 5)  # mean 0, variance 10/9 over ten splits
ERROR = sqrt((1 / 10 + 1 / 4) * 10 / 9)
"""Nadeau and Bengio's standard error of a mean of ten such differences, in 5 folds."""


def candidate(name, folds):
    metrics = dict.fromkeys(Metrics.model_fields, 0.5) | {"rows": 1000, "positives": 250}
    return CandidateResult(
        name=name,
        metrics=Metrics(**metrics | {"roc_auc": float(np.mean(folds))}),
        fold_roc_auc=tuple(folds),
        roc_auc_interval=None,
        against_baseline=None,
    )


def report(**folds):
    return ProtocolReport(
        plan=ProtocolPlan(folds=5, repeats=2, bootstrap_samples=0),
        baseline="logistic",
        rows=1000,
        positives=250,
        candidates=tuple(candidate(name, values) for name, values in folds.items()),
    )


def behind(standard_errors):
    """Figures of a candidate that lies so many standard errors behind 0.85 on every split."""
    return 0.85 + 0.001 * (UPS - standard_errors * ERROR)


LEADER = np.full(10, 0.85)


@pytest.mark.parametrize(("standard_errors", "chosen"), [(0.99, "spline"), (1.01, "blend")])
def test_the_simplest_within_one_standard_error_is_chosen(standard_errors, chosen):
    given = report(logistic=behind(5), spline=behind(standard_errors), blend=LEADER)
    selection = select_candidate(given, ONE)
    assert selection.chosen == selection.simplest.name == chosen
    assert selection.simplest.standard_error == pytest.approx(
        0.001 * ERROR if chosen == "spline" else 0
    )
    assert "simplest is chosen" in selection.rule
    assert selection.reason == ""


def test_the_plain_standard_error_would_be_too_small():
    # given a lag of which overlapping training sets alone explain a part
    plain = sqrt(10 / 9 / 10)
    lag = 0.85 + 0.001 * (UPS - 1.5 * plain)
    assert select_candidate(report(spline=lag, blend=LEADER), ONE).chosen == "spline"


def test_the_order_of_the_configuration_is_that_of_simplicity():
    within = {"spline": behind(0.5), "tree": behind(0.2), "blend": LEADER}
    assert select_candidate(report(**within), ONE).chosen == "spline"
    other = {name: within[name] for name in ("tree", "spline", "blend")}
    assert select_candidate(report(**other), ONE).chosen == "tree"


def test_a_best_one_that_a_simpler_equals_is_chosen_with_a_reason_that_is_said():
    selection = select_candidate(report(spline=behind(0.5), blend=LEADER), BEST)
    assert (selection.chosen, selection.simplest.name) == ("blend", "spline")
    assert (
        "spline is simpler than blend and within one standard error of it (-0.00031 ROC-AUC, "
        "standard error 0.00062); blend is taken because selection.rule is best: "
        "its reasons are steadier."
    ) in selection.sentence
    assert Selection.model_validate_json(selection.model_dump_json()) == selection


def test_no_reason_is_given_where_the_best_is_the_simplest():
    for plan in (BEST, ONE):
        selection = select_candidate(report(spline=behind(1.2), blend=LEADER), plan)
        assert (selection.chosen, selection.reason) == ("blend", "")
        assert selection.sentence.endswith(
            "No candidate simpler than blend is within one standard error of it."
        )


def test_a_simpler_one_that_was_chosen_says_how_far_it_is_behind():
    selection = select_candidate(report(spline=behind(0.5), blend=LEADER), ONE)
    assert selection.sentence.startswith("spline was chosen, -0.0003 ROC-AUC against blend; ")
    assert "taken because" not in selection.sentence
    assert selection.runner_up == "blend"


def test_a_selection_of_an_earlier_release_is_still_read():
    selection = select_candidate(report(spline=behind(0.5), blend=LEADER), BEST)
    stored = selection.model_dump(mode="json", exclude={"simplest", "reason"})
    assert Selection.model_validate(stored).sentence.startswith("blend was chosen")


@pytest.mark.parametrize(
    "values", [{"rule": "best", "reason": " "}, {"rule": "simplest"}, {"order": ["logistic"]}]
)
def test_a_rule_that_is_unknown_or_without_its_reason_is_refused(values):
    with pytest.raises(ValidationError):
        SelectionPlan.model_validate(values)
    assert SelectionPlan(rule="one_standard_error", reason="").rule == "one_standard_error"
