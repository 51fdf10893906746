"""How much a slice's figure differs from that of its column's largest slice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from churn.evaluation.intervals import LEVEL, Interval, normal_quantile
from churn.frozen_model import FrozenModel

TOO_FEW: Literal["too few rows to tell"] = "too few rows to tell"

DisparityVerdict = Literal["differs", "no difference seen", "too few rows to tell"]
SliceMetric = Literal[
    "roc_auc",
    "calibration_gap",
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
]
METRICS: dict[SliceMetric, str] = {
    "roc_auc": "ROC-AUC",
    "calibration_gap": "Observed less predicted churn",
    "selection_rate": "Selection rate",
    "true_positive_rate": "True positive rate",
    "false_positive_rate": "False positive rate",
}


class Estimate(FrozenModel):
    """A figure of one slice and its 95% interval."""

    value: float
    interval: Interval

    def text(self, form: str) -> str:
        """Returns the figure and its bounds as text, each in the given format."""
        return f"{self.value:{form}} ({self.interval.span(form)})"

    def text_in_points(self) -> str:
        """Returns a difference of two shares and its bounds as text, in percentage points."""
        lower, upper = 100 * self.interval.lower, 100 * self.interval.upper
        return f"{100 * self.value:+.1f} points ({lower:+.1f} to {upper:+.1f})"


class Disparity(FrozenModel):
    """How much one slice's figure differs from that of its column's largest slice.

    Attributes:
        column: what groups the customers.
        value: the slice.
        reference: the largest slice of the column.
        verdict: whether the interval leaves 0 out, or the figure is missing on either side.
        difference: difference of the slice less the reference, with its 95% interval.
    """

    column: str
    value: str
    reference: str
    metric: SliceMetric
    verdict: DisparityVerdict
    difference: Estimate | None

    @property
    def sentence(self) -> str:
        """The comparison in one sentence."""
        head = f"{METRICS[self.metric]}, {self.column} {self.value} against {self.reference}"
        if self.difference is None:
            return f"{head}: {TOO_FEW}."
        gap = self.difference
        text = gap.text("+.3f") if self.metric == "roc_auc" else gap.text_in_points()
        return f"{head}: {text}, {self.verdict}."


def disparities(
    column: str, reference: str, figures: Mapping[str, Mapping[SliceMetric, Estimate | None]]
) -> list[Disparity]:
    """Compares every slice of a column with its reference, figure by figure.

    `figures` has those of each slice; None for one that was not measured.
    """
    found = []
    for value, ours in figures.items():
        if value == reference:
            continue
        for metric in METRICS:
            gap = estimate_difference(ours[metric], figures[reference][metric])
            verdict: DisparityVerdict = TOO_FEW
            if gap is not None:
                verdict = "no difference seen" if gap.interval.covers(0) else "differs"
            found.append(
                Disparity(
                    column=column,
                    value=value,
                    reference=reference,
                    metric=metric,
                    verdict=verdict,
                    difference=gap,
                )
            )
    return found


def estimate_difference(ours: Estimate | None, theirs: Estimate | None) -> Estimate | None:
    """Returns the difference of two independent figures, from their own intervals.

    The squares of the distances to the bounds add up (Newcombe 1998, Statistics in Medicine
    17:873-890, method 10, there for Wilson's intervals; Zou & Donner 2008, 27:1693-1702, for any).
    """
    if ours is None or theirs is None:
        return None
    value = ours.value - theirs.value
    down = np.hypot(ours.value - ours.interval.lower, theirs.interval.upper - theirs.value)
    up = np.hypot(ours.interval.upper - ours.value, theirs.value - theirs.interval.lower)
    return Estimate(
        value=value,
        interval=Interval(
            lower=value - float(down), upper=value + float(up), method="Newcombe hybrid"
        ),
    )


def wilson_interval(count: int, rows: int, level: float = LEVEL) -> Interval:
    """Returns the interval of a share (Wilson 1927, JASA 22:209-212), valid near 0 and 1, too.

    Raises:
        ValueError: no rows.
    """
    if rows < 1:
        raise ValueError("a share needs at least one row")
    z, share = normal_quantile(level), count / rows
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    spread = share * (1 - share) / rows + z * z / (4 * rows * rows)
    half = z * float(np.sqrt(spread)) / (1 + z * z / rows)
    lower, upper = max(0.0, middle - half), min(1.0, middle + half)
    return Interval(lower=lower, upper=upper, level=level, method="Wilson")
