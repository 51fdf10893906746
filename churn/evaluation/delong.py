"""Areas under ROC curves with their covariance, and whether two of them differ (DeLong's test).

An area is the share of pairs (one customer who left, one who stayed) that the score ranks right.
How much each customer adds to that share is its *placement*, and the placements' spread gives the
variance of the area without assuming anything about the scores (DeLong, DeLong & Clarke-Pearson
1988, Biometrics 44:837-845). Midranks give all placements in O(n log n) (Sun & Xu 2014, IEEE Signal
Processing Letters 21:1389-1393); a tie counts half.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from churn.errors import InputError
from churn.evaluation.intervals import LEVEL, Interval, normal_quantile
from churn.evaluation.weighted import Floats, Labels
from churn.frozen_model import FrozenModel

METHOD = "paired DeLong"
_FEWEST = 2  # of each outcome; a spread needs two


class Auc(FrozenModel):
    """One area under the ROC curve and its variance.

    Attributes:
        area: the chance that a customer who left scores above one who stayed.
        variance: variance of the area, over other customers.
        rows: customers judged.
        positives: of those, how many left.
    """

    area: float = Field(ge=0, le=1)
    variance: float = Field(ge=0)
    rows: int = Field(ge=2 * _FEWEST)
    positives: int = Field(ge=_FEWEST)

    def interval(self, level: float = LEVEL) -> Interval:
        """Two-sided interval, made on the log-odds scale so that it stays between 0 and 1.

        It holds the truth more often than the plain one where the area is high or customers are
        few (Pepe 2003, "The Statistical Evaluation of Medical Tests", section 5.2). Without a
        spread (a perfect ranking, say) it shrinks to a point, which understates the uncertainty.
        """
        spread = self.area * (1 - self.area)
        if self.variance == 0 or spread == 0:
            return Interval(lower=self.area, upper=self.area, level=level, method="DeLong, logit")
        half = normal_quantile(level) * np.sqrt(self.variance) / spread
        middle = logit(self.area)
        return Interval(
            lower=float(expit(middle - half)),
            upper=float(expit(middle + half)),
            level=level,
            method="DeLong, logit",
        )


class PairedAuc(FrozenModel):
    """The areas of two scores of the same customers, and their difference.

    The variance of the difference is exactly 0 where both rank alike.
    """

    area: float = Field(ge=0, le=1)
    reference_area: float = Field(ge=0, le=1)
    variance: float = Field(ge=0)
    reference_variance: float = Field(ge=0)
    covariance: float
    difference_variance: float = Field(ge=0)
    rows: int = Field(ge=2 * _FEWEST)
    positives: int = Field(ge=_FEWEST)

    @property
    def difference(self) -> float:
        """Area gained over the reference."""
        return self.area - self.reference_area

    @property
    def standard_error(self) -> float:
        """Of the difference."""
        return float(np.sqrt(self.difference_variance))

    def interval(self, level: float = LEVEL) -> Interval:
        """Two-sided interval of the difference."""
        half = normal_quantile(level) * self.standard_error
        return Interval(
            lower=self.difference - half, upper=self.difference + half, level=level, method=METHOD
        )

    def lower_bound(self, confidence: float = LEVEL) -> float:
        """One-sided: the difference lies above it with that confidence."""
        return self.difference - float(norm.ppf(confidence)) * self.standard_error

    def upper_bound(self, confidence: float = LEVEL) -> float:
        """One-sided: the difference lies below it with that confidence."""
        return self.difference + float(norm.ppf(confidence)) * self.standard_error


def delong(target: npt.ArrayLike, score: npt.ArrayLike) -> Auc:
    """Computes the area of one score and its variance.

    Args:
        target: [n] of 0 (stayed) and 1 (left).
        score: [n], higher for a customer who is more likely to leave.

    Raises:
        ValueError: lengths differ, or a target is neither 0 nor 1.
        InputError: a score is not a finite number, or an outcome occurs less than twice.
    """
    truth, (values,) = _checked(target, score)
    left, stayed = _placements(truth, values)
    return Auc(
        area=_mean(left),
        variance=float(left.var(ddof=1) / len(left) + stayed.var(ddof=1) / len(stayed)),
        rows=len(truth),
        positives=len(left),
    )


def paired_delong(
    target: npt.ArrayLike, score: npt.ArrayLike, reference: npt.ArrayLike
) -> PairedAuc:
    """Compares two scores of the same customers, pair by pair.

    `reference` scores them in the same order. Other arguments and errors are as for `delong`.

    Examples:
        >>> left = [1, 1, 1, 0, 0, 0, 0]
        >>> ours, theirs = [0.9, 0.7, 0.4, 0.5, 0.3, 0.2, 0.1], [0.8, 0.3, 0.4, 0.6, 0.2, 0.5, 0.1]
        >>> compared = paired_delong(left, ours, theirs)
        >>> round(compared.area, 4), round(compared.reference_area, 4)
        (0.9167, 0.6667)
        >>> compared.interval().span("+.3f")
        '-0.172 to +0.672'
    """
    truth, (ours, theirs) = _checked(target, score, reference)
    left, stayed = _placements(truth, ours)
    other_left, other_stayed = _placements(truth, theirs)
    covariance = np.cov(left, other_left) / len(left) + np.cov(stayed, other_stayed) / len(stayed)
    # From the differences themselves: v1 + v2 - 2 cov loses its last digits where both rank alike.
    gained, kept = left - other_left, stayed - other_stayed
    return PairedAuc(
        area=_mean(left),
        reference_area=_mean(other_left),
        variance=float(covariance[0, 0]),
        reference_variance=float(covariance[1, 1]),
        covariance=float(covariance[0, 1]),
        difference_variance=float(gained.var(ddof=1) / len(left) + kept.var(ddof=1) / len(stayed)),
        rows=len(truth),
        positives=len(left),
    )


def _placements(target: Labels, score: Floats) -> tuple[Floats, Floats]:
    """The share of the other side that each customer is ranked right against.

    The first array is of those who left, the second of those who stayed; the mean of either is the
    area.
    """
    event = target == 1
    left, stayed = score[event], score[~event]
    everyone = rankdata(score)
    above = (everyone[event] - rankdata(left)) / len(stayed)
    below = 1 - (everyone[~event] - rankdata(stayed)) / len(left)
    return above, below


def _mean(placements: Floats) -> float:
    return min(1.0, float(placements.mean()))


def _checked(target: npt.ArrayLike, *scores: npt.ArrayLike) -> tuple[Labels, list[Floats]]:
    truth = np.asarray(target)
    values = [np.asarray(score, dtype=np.float64) for score in scores]
    for each in values:
        if truth.ndim != 1 or each.shape != truth.shape:
            raise ValueError(f"target {truth.shape} and score {each.shape} do not match")
        if not np.isfinite(each).all():
            row = int(np.argmin(np.isfinite(each)))
            raise InputError(
                f"The score of row {row + 1} is {each[row]}, not a finite number, and cannot be "
                "ranked. Score the rows again, or leave that row out of every model's scores."
            )
    if not np.isin(truth, (0, 1)).all():
        raise ValueError("a target is neither 0 (stayed) nor 1 (left)")
    left = int(truth.sum())
    if min(left, len(truth) - left) < _FEWEST:
        raise InputError(
            f"Among the {len(truth)} customers to be judged {left} left and {len(truth) - left} "
            f"stayed: an area under the ROC curve and its variance need {_FEWEST} of each. "
            "Bring more rows or check the target column."
        )
    return truth.astype(np.int8), values
