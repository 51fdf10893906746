"""The figures a churn model is judged by, on one set of rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydantic import Field

from churn.errors import InputError
from churn.evaluation.calibration import expected_calibration_error
from churn.evaluation.weighted import Floats, Labels, RankedRows, ScoreGroups
from churn.frozen_model import FrozenModel

METRIC_TITLES = {
    "roc_auc": "ROC-AUC",
    "pr_auc": "PR-AUC",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "ece": "Calibration error (ECE)",
    "lift_at_10": "Lift in the top 10%",
}
"""Title of each metric, in the order of display."""

HIGHER_IS_BETTER = {
    "roc_auc": True,
    "pr_auc": True,
    "log_loss": False,
    "brier": False,
    "ece": False,
    "lift_at_10": True,
}

_SMALLEST = float(np.finfo(np.float64).tiny)


class Metrics(FrozenModel):
    """Metrics of one set of probabilities, and how many customers they were measured on.

    Attributes:
        roc_auc: area under the ROC curve, ties counting half; 0.5 is guessing.
        pr_auc: average precision; the churn rate is guessing.
        log_loss: mean negative log likelihood, in nats.
        brier: mean squared error of the probability (Brier 1950).
        ece: expected calibration error over ten equal-mass bins; see `calibration`.
        lift_at_10: churn rate in the top tenth by score over the churn rate of all.
        rows: customers judged.
        positives: of those, how many left.
    """

    roc_auc: float = Field(ge=0, le=1)
    pr_auc: float = Field(ge=0, le=1)
    log_loss: float = Field(ge=0)
    brier: float = Field(ge=0, le=1)
    ece: float = Field(ge=0, le=1)
    lift_at_10: float = Field(ge=0)
    rows: int = Field(ge=1)
    positives: int = Field(ge=1)

    @property
    def figures(self) -> dict[str, float]:
        """The six metrics by name, without the counts."""
        return {name: float(getattr(self, name)) for name in METRIC_TITLES}


def validate_predictions(
    target: npt.ArrayLike, probability: npt.ArrayLike
) -> tuple[Labels, Floats]:
    """Returns target int8[n] and probability float64[n] if a model can be measured on them.

    Raises:
        ValueError: lengths differ, a probability is not a number in [0, 1], or a target is
            neither 0 nor 1.
        InputError: only one outcome occurs, so that nothing can be ranked.
    """
    truth = np.asarray(target)
    chance = np.asarray(probability, dtype=np.float64)
    if truth.shape != chance.shape or truth.ndim != 1:
        raise ValueError(f"target {truth.shape} and probability {chance.shape} do not match")
    if not np.isin(truth, (0, 1)).all():
        raise ValueError("a target is neither 0 (stayed) nor 1 (left)")
    if not ((chance >= 0) & (chance <= 1)).all():
        raise ValueError("a probability is not a number between 0 and 1")
    left = int(truth.sum())
    if left in (0, len(truth)):
        seen = "left" if left else "stayed"
        raise InputError(
            f"All {len(truth)} customers to be judged {seen}: a model can only be measured where "
            "both outcomes occur. Bring more rows or check the target column."
        )
    return truth.astype(np.int8), chance


def row_log_loss(target: Labels, probability: Floats) -> Floats:
    """Negative log likelihood of each row, in nats; a certain miss costs about 708, not infinity."""
    of_truth = np.where(target == 1, probability, 1 - probability)
    return -np.log(np.maximum(of_truth, _SMALLEST))


def measure(target: npt.ArrayLike, probability: npt.ArrayLike) -> Metrics:
    """Measures probabilities against what happened.

    Args:
        target: [n] of 0 (stayed) and 1 (left).
        probability: [n] in [0, 1], of leaving.

    Raises:
        ValueError: the arrays do not match, or hold something else than that.
        InputError: only one outcome occurs.

    Examples:
        >>> metrics = measure([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        >>> metrics.roc_auc, round(metrics.brier, 4), metrics.positives
        (0.75, 0.1581, 2)
    """
    truth, chance = validate_predictions(target, probability)
    once = np.ones((len(truth), 1))
    groups = ScoreGroups.from_scores(truth, chance)
    return Metrics(
        roc_auc=float(RankedRows.from_scores(truth, chance).auc(once)[0]),
        pr_auc=min(1.0, float(groups.average_precision(once)[0])),
        log_loss=float(row_log_loss(truth, chance).mean()),
        brier=float(np.square(chance - truth).mean()),
        ece=expected_calibration_error(truth, chance),
        lift_at_10=float(groups.lift(once)[0]),
        rows=len(truth),
        positives=int(truth.sum()),
    )


def mean_metrics(measured: list[Metrics], *, rows: int, positives: int) -> Metrics:
    """Each metric's mean over folds, with the counts of the rows that the folds share out."""
    means = {
        name: float(np.mean([getattr(metrics, name) for metrics in measured]))
        for name in METRIC_TITLES
    }
    return Metrics(**means, rows=rows, positives=positives)
