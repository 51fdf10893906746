"""Two arms compared: churn rates and their difference, plain and adjusted, and the share that was saved.

All differences are treated less holdout: below 0 fewer treated customers leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy.stats import chisquare, norm

from churn.errors import InputError
from churn.evaluation.intervals import Interval
from churn.experiments.assignment import HOLDOUT, TREATED
from churn.frozen_model import FrozenModel

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Observed:
    """Customers of an experiment who were selected, and whose outcome is known.

    Attributes:
        arm: str[n].
        left: bool[n], whether the customer left within the horizon.
        risk: float64[n], predicted before the assignment.
        stratum: str[n].
        offer: str[n], the offer that was, or would have been, made.
        assigned: selected customers of each arm, with or without an outcome.
    """

    arm: npt.NDArray[np.str_]
    left: npt.NDArray[np.bool_]
    risk: Floats
    stratum: npt.NDArray[np.str_]
    offer: npt.NDArray[np.str_]
    assigned: Mapping[str, int]


class ArmRate(FrozenModel):
    """Churn of one arm: customers assigned, those whose outcome is known, and who of them left."""

    assigned: int
    known: int
    left: int

    @property
    def rate(self) -> float:
        """Share of those known who left."""
        return self.left / self.known


class Difference(FrozenModel):
    """Treated less holdout.

    Attributes:
        holdout, treated: the arms.
        holdout_rate, treated_rate: their churn.
        difference: of the two.
        interval: of it.
        z: the difference in standard errors, its variance pooled.
    """

    holdout: ArmRate
    treated: ArmRate
    holdout_rate: float
    treated_rate: float
    difference: float
    interval: Interval
    z: float


class AdjustedDifference(FrozenModel):
    """The difference after what the predicted risk explains is taken out (CUPED).

    Attributes:
        difference: treated less holdout.
        interval: of it.
        variance_ratio: its variance, as a share of that of the plain difference.
    """

    difference: float
    interval: Interval
    variance_ratio: float


class SavedShare(FrozenModel):
    """Of the customers who would have left, the share that an offer kept: what a playbook assumes.

    Attributes:
        offer: its name; empty for all offers together.
        customers: whose outcome is known.
        mean: 1 - treated rate / holdout rate.
        standard_deviation: of it, by the delta method.
    """

    offer: str
    customers: int
    mean: float
    standard_deviation: float


def compare_rates(treated: ArmRate, holdout: ArmRate, bound: float = 1.96) -> Difference:
    """Two independent churn rates: Newcombe's hybrid score interval, `bound` standard errors wide.

    Newcombe 1998 (Statistics in Medicine 17:873-890, method 10).

    Examples:
        >>> found = compare_rates(
        ...     ArmRate(assigned=2211, known=2211, left=1745), ArmRate(assigned=623, known=623, left=211)
        ... )
        >>> round(found.treated.rate, 6), round(found.holdout.rate, 6), found.interval.span(".3f")
        (0.789236, 0.338684, '0.409 to 0.490')
    """
    error = max(2 * float(norm.sf(bound)), 1e-15)
    lower, upper = _newcombe(treated, holdout, bound)
    pooled = (treated.left + holdout.left) / (treated.known + holdout.known)
    spread = sqrt(pooled * (1 - pooled) * (1 / treated.known + 1 / holdout.known))
    difference = treated.rate - holdout.rate
    return Difference(
        holdout=holdout,
        treated=treated,
        holdout_rate=holdout.rate,
        treated_rate=treated.rate,
        difference=difference,
        interval=Interval(
            lower=lower, upper=upper, level=1 - error, method="Newcombe hybrid score"
        ),
        z=difference / spread if spread > 0 else 0.0,
    )


def adjusted_difference(observed: Observed, bound: float = 1.96) -> AdjustedDifference | None:
    """CUPED (Deng, Xu, Kohavi & Walker 2013, WSDM): what the predicted risk explains is taken out.

    None where the risk does not vary, or an arm has fewer than two customers.
    """
    arms = [observed.arm == name for name in (TREATED, HOLDOUT)]
    if min(int(rows.sum()) for rows in arms) < 2 or np.ptp(observed.risk) == 0:  # noqa: PLR2004
        return None
    left = observed.left.astype(np.float64)
    slope = float(np.cov(left, observed.risk)[0, 1] / np.var(observed.risk, ddof=1))
    rest = left - slope * (observed.risk - observed.risk.mean())
    difference = float(rest[arms[0]].mean() - rest[arms[1]].mean())
    plain, variance = (
        sum(float(np.var(values[rows], ddof=1)) / int(rows.sum()) for rows in arms)
        for values in (left, rest)
    )
    reach = bound * sqrt(variance)
    level = min(1 - 2 * float(norm.sf(bound)), 1 - 1e-15)
    return AdjustedDifference(
        difference=difference,
        interval=Interval(
            lower=difference - reach, upper=difference + reach, level=level, method="CUPED, normal"
        ),
        variance_ratio=variance / plain if plain > 0 else 1.0,
    )


def sample_ratio_p(assigned: Mapping[str, int], shares: Mapping[str, float]) -> float:
    """P-value of the arms' sizes against their shares: Pearson's chi-square.

    A small one means that customers went missing, or moved, for a reason that may bias everything.

    Examples:
        >>> round(sample_ratio_p({"holdout": 200, "treated": 800}, {"holdout": 0.2, "treated": 0.8}), 3)
        1.0
        >>> sample_ratio_p({"holdout": 100, "treated": 800}, {"holdout": 0.2, "treated": 0.8}) < 0.001
        True
    """
    seen = np.array([assigned.get(arm, 0) for arm in shares], dtype=np.float64)
    if seen.sum() == 0:
        raise InputError("Nobody is assigned to an arm, so there is nothing to read.")
    expected = np.array(list(shares.values())) * seen.sum()
    return float(chisquare(seen, expected).pvalue)


def saved_share(treated: ArmRate, holdout: ArmRate, offer: str = "") -> SavedShare | None:
    """What a playbook assumes, as measured; None where the holdout's churn is nothing to save from."""
    if holdout.left == 0:
        return None
    ratio = treated.rate / holdout.rate
    # Half a customer more on each side: where nobody or everybody left, the spread is not nothing.
    first, second = ((arm.left + 0.5) / (arm.known + 1) for arm in (treated, holdout))
    variance = first * (1 - first) / treated.known / second**2
    variance += (first / second) ** 2 * (1 - second) / holdout.known / second
    return SavedShare(
        offer=offer,
        customers=treated.known + holdout.known,
        mean=1 - ratio,
        standard_deviation=sqrt(variance),
    )


def _newcombe(treated: ArmRate, holdout: ArmRate, bound: float) -> tuple[float, float]:
    """The difference's bounds from Wilson's score intervals of both rates."""
    lows, highs = zip(*(_wilson(arm, bound) for arm in (treated, holdout)), strict=True)
    first, second = treated.rate, holdout.rate
    return (
        first - second - sqrt((first - lows[0]) ** 2 + (highs[1] - second) ** 2),
        first - second + sqrt((highs[0] - first) ** 2 + (second - lows[1]) ** 2),
    )


def _wilson(arm: ArmRate, bound: float) -> tuple[float, float]:
    rate, size, square = arm.rate, arm.known, bound**2
    middle = (rate + square / (2 * size)) / (1 + square / size)
    half = bound * sqrt(rate * (1 - rate) / size + square / (4 * size**2)) / (1 + square / size)
    return middle - half, middle + half
