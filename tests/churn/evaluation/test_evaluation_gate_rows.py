import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from churn.errors import InputError
from churn.evaluation.gate_rows import (
    GateRowsReport,
    evaluate_gate_rows,
    gains_curve,
    roc_curve,
)


@pytest.fixture(scope="module")
def rows():
    generator = np.random.default_rng(41)
    score = generator.normal(-1.3, 1.6, size=1200)
    target = (generator.random(1200) < expit(score)).astype(np.int8)
    return {"score": score, "worse": score + generator.normal(scale=2, size=1200)}, target


def evaluated(rows):
    scores, target = rows
    return evaluate_gate_rows(
        "blend",
        scores["score"],
        target,
        bootstrap_samples=300,
        baseline=("logistic", scores["worse"]),
    )


@pytest.fixture(scope="module")
def report(rows):
    return evaluated(rows)


def test_every_figure_comes_with_its_interval(report, rows):
    scores, target = rows
    assert report.metrics.roc_auc == pytest.approx(roc_auc_score(target, scores["score"]))
    assert set(report.intervals) == set(report.metrics.figures)
    assert report.intervals["roc_auc"].covers(report.metrics.roc_auc)
    assert report.reliability.within_noise
    assert "1,200 customers set aside" in report.sentence


def test_the_baseline_is_compared_on_the_same_customers(report):
    assert report.against_baseline.difference > 0
    assert not report.against_baseline.covers_zero
    assert (report.against_baseline.model, report.against_baseline.reference) == (
        "blend",
        "logistic",
    )


def test_the_report_survives_json_and_repeats_itself(report, rows):
    assert GateRowsReport.model_validate_json(report.model_dump_json()) == report
    assert evaluated(rows) == report


def test_the_drawn_curves_hold_what_the_figures_say(report):
    area = np.trapezoid(report.roc.y, report.roc.x)
    assert area == pytest.approx(report.metrics.roc_auc, abs=0.002)
    share = np.interp(0.1, report.gains.x, report.gains.y)
    assert share == pytest.approx(0.1 * report.metrics.lift_at_10, abs=0.01)
    for curve in (report.roc, report.gains):
        assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
        assert (np.diff(curve.x) >= 0).all()
        assert (np.diff(curve.y) >= 0).all()
        assert len(curve.x) <= 200


def test_the_histogram_counts_everybody_once(report):
    assert sum(report.scores.left) == report.metrics.positives
    assert sum(report.scores.left) + sum(report.scores.stayed) == report.metrics.rows


def test_tied_customers_enter_the_curves_together():
    target, score = np.array([1, 0, 1, 0], dtype=np.int8), np.zeros(4)
    assert gains_curve(target, score).x == (0.0, 1.0)
    assert roc_curve(target, score).y == (0.0, 1.0)


def test_gate_rows_of_one_outcome_are_refused(rows):
    scores, target = rows
    with pytest.raises(InputError, match="both outcomes"):
        evaluate_gate_rows("blend", scores["score"], np.zeros_like(target))
