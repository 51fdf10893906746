"""How long customers stay: Kaplan-Meier curves of tenure.

A table of one moment knows the tenure of who is still there only up to that moment: it is
censored. The curve is that of a company in a steady state. Customers who left before the table
begins are missing from it, so it says more about those who stay long than about all who ever came.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import CensoredData, ecdf

from churn.contract import CodedColumn, NumberColumn
from churn.evaluation.intervals import LEVEL
from churn.evaluation.weighted import Floats, Labels
from churn.exploration.breakdown import LEAST_ROWS
from churn.features.encoding import Columns


@dataclass(frozen=True, eq=False)
class SurvivalCurve:
    """Share of customers still there after each tenure, with its 95% interval.

    Attributes:
        times: tenures that occur, in the column's unit, float64[k].
        survival: share still there just after each, float64[k]; `lower` and `upper` bound it.
        left: how many of the `rows` customers left.
    """

    label: str
    rows: int
    left: int
    times: Floats
    survival: Floats
    lower: Floats
    upper: Floats

    def at(self, time: float) -> float:
        """Share still there just after a tenure; 1 before the first."""
        place = int(np.searchsorted(self.times, time, side="right"))
        return float(self.survival[place - 1]) if place else 1.0

    @property
    def median(self) -> float | None:
        """Tenure by which half have left; None where fewer have."""
        below = np.flatnonzero(self.survival <= 0.5)  # noqa: PLR2004
        return float(self.times[below[0]]) if len(below) else None


def survival_curve(tenure: Floats, left: Labels, label: str = "all") -> SurvivalCurve:
    """Kaplan & Meier's estimate (1958, JASA 53:457-481), bounds by log-log (Kalbfleisch & Prentice).

    Examples:
        >>> curve = survival_curve(np.array([1.0, 2.0, 3.0]), np.array([1, 0, 1], dtype=np.int8))
        >>> round(curve.at(1), 3), round(curve.at(2), 3), curve.median
        (0.667, 0.667, 3.0)
    """
    kept = ecdf(CensoredData.right_censored(tenure, left == 0)).sf
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # The bounds of 0 and 1 are not defined.
        warnings.simplefilter("ignore", RuntimeWarning)
        bounds: Any = kept.confidence_interval(confidence_level=LEVEL, method="log-log")
    return SurvivalCurve(
        label=label,
        rows=len(tenure),
        left=int(left.sum()),
        times=np.asarray(kept.quantiles, dtype=np.float64),
        survival=np.asarray(kept.probabilities, dtype=np.float64),
        lower=_defined(bounds.low.probabilities, kept.probabilities),
        upper=_defined(bounds.high.probabilities, kept.probabilities),
    )


def survival_by(
    columns: Columns, left: Labels, tenure: NumberColumn, by: CodedColumn
) -> tuple[SurvivalCurve, ...]:
    """A curve for each category that has enough customers."""
    codes, times = columns[by.name], np.asarray(columns[tenure.name], dtype=np.float64)
    return tuple(
        survival_curve(times[codes == code], left[codes == code], label)
        for code, label in enumerate(by.categories)
        if (codes == code).sum() >= LEAST_ROWS
    )


def _defined(bound: NDArray[np.float64], estimate: NDArray[np.float64]) -> Floats:
    return np.where(np.isfinite(bound), bound, estimate)
