"""The final model on the rows set aside before anything was fitted.

These rows choose nothing and tune nothing. The finished model is measured on them once, and the
promotion gates read the result.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy.special import expit

from churn.evaluation.calibration import Reliability, assess_calibration
from churn.evaluation.column_ranking import ColumnRanking, strongest_column
from churn.evaluation.comparison import PairedDifference
from churn.evaluation.intervals import Interval, auc_difference_interval, metric_intervals
from churn.evaluation.metrics import Metrics, measure, validate_predictions
from churn.evaluation.weighted import Floats, Labels, RankedRows
from churn.features.encoding import Columns
from churn.frozen_model import FrozenModel

_CURVE_POINTS = 200
_HISTOGRAM_BINS = 20


class Curve(FrozenModel):
    """Points of a line, from (0, 0) to (1, 1)."""

    x: tuple[float, ...]
    y: tuple[float, ...]


class ScoreHistogram(FrozenModel):
    """Customers per bin of predicted probability, by outcome; `edges` bound the bins."""

    edges: tuple[float, ...]
    stayed: tuple[int, ...]
    left: tuple[int, ...]


class GateRowsReport(FrozenModel):
    """Results of the final model on the rows set aside.

    Attributes:
        model: the recipe.
        intervals: 95% bootstrap interval of each figure, by metric name.
        against_baseline: ROC-AUC gained over the baseline on the same rows, if one was given.
        roc: false against true positive rate.
        gains: share of customers addressed, best scores first, against share of leavers reached.
        strongest_column: the column that alone ranks these rows best; None where it was not looked for.
    """

    model: str
    metrics: Metrics
    intervals: dict[str, Interval]
    reliability: Reliability
    against_baseline: PairedDifference | None
    roc: Curve
    gains: Curve
    scores: ScoreHistogram
    bootstrap_samples: int = Field(ge=1)
    strongest_column: ColumnRanking | None = None

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        bounds = self.intervals["roc_auc"]
        return (
            f"On {self.metrics.rows:,} customers set aside before training, {self.model} reaches "
            f"ROC-AUC {self.metrics.roc_auc:.4f} (95% interval {bounds.span()}); "
            f"among the tenth it ranks highest, customers leave "
            f"{self.metrics.lift_at_10:.1f} times as often as on average."
        )


def evaluate_gate_rows(
    name: str,
    logit: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    bootstrap_samples: int = 2000,
    seed: int = 7,
    baseline: tuple[str, Floats] | None = None,
    columns: Columns | None = None,
) -> GateRowsReport:
    """Measures the final model on the rows set aside.

    Args:
        name: the recipe.
        logit: [n], its log-odds of leaving for the n gate rows.
        target: [n] of 0 (stayed) and 1 (left).
        bootstrap_samples: resamplings of the customers behind every interval.
        seed: fixes them, and the simulated calibration noise.
        baseline: name and log-odds of a model to compare with, pair by pair.
        columns: feature columns of the rows, to see what each ranks alone.

    Raises:
        InputError: only one outcome occurs among the rows.
    """
    score = np.asarray(logit, dtype=np.float64)
    truth, probability = validate_predictions(target, expit(score))
    compared = None
    if baseline is not None:
        reference, reference_score = baseline
        once = np.ones((len(truth), 1))
        ours = RankedRows.from_scores(truth, score).auc(once)[0]
        theirs = RankedRows.from_scores(truth, reference_score).auc(once)[0]
        compared = PairedDifference(
            model=name,
            reference=reference,
            difference=float(ours - theirs),
            interval=auc_difference_interval(
                truth, score, reference_score, samples=bootstrap_samples, seed=seed
            ),
            splits=1,
        )
    return GateRowsReport(
        model=name,
        metrics=measure(truth, probability),
        intervals=metric_intervals(truth, probability, samples=bootstrap_samples, seed=seed),
        reliability=assess_calibration(truth, probability, seed=seed),
        against_baseline=compared,
        roc=roc_curve(truth, score),
        gains=gains_curve(truth, score),
        scores=_histogram(truth, probability),
        bootstrap_samples=bootstrap_samples,
        strongest_column=strongest_column(columns, truth) if columns else None,
    )


def roc_curve(target: Labels, score: Floats) -> Curve:
    """False positive rate against true positive rate, thinned to at most 200 points."""
    from sklearn.metrics import roc_curve as sklearn_roc_curve

    false_positive, true_positive, _ = sklearn_roc_curve(target, score)
    return _thinned(false_positive, true_positive)


def gains_curve(target: Labels, score: Floats) -> Curve:
    """Share of customers, best scores first, against share of leavers; ties enter together."""
    order = np.argsort(-score, kind="stable")
    falling = score[order]
    last_of_tie = np.r_[falling[1:] != falling[:-1], True]
    found = np.cumsum(target[order], dtype=np.float64)
    reached = np.arange(1, len(score) + 1, dtype=np.float64)
    return _thinned(
        np.r_[0.0, reached[last_of_tie] / len(score)], np.r_[0.0, found[last_of_tie] / found[-1]]
    )


def _thinned(x: Floats, y: Floats) -> Curve:
    keep = np.unique(np.linspace(0, len(x) - 1, _CURVE_POINTS).round().astype(np.int64))
    return Curve(x=tuple(x[keep].tolist()), y=tuple(y[keep].tolist()))


def _histogram(target: Labels, probability: Floats) -> ScoreHistogram:
    edges = np.linspace(0, 1, _HISTOGRAM_BINS + 1)
    stayed, left = (np.histogram(probability[target == side], bins=edges)[0] for side in (0, 1))
    return ScoreHistogram(
        edges=tuple(edges.tolist()), stayed=tuple(stayed.tolist()), left=tuple(left.tolist())
    )
