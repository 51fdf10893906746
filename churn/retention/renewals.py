"""How long a cohort goes on renewing: the shifted-beta-geometric model.

Fader & Hardie 2007 (Journal of Interactive Marketing 21:76-90): each customer gives up at a renewal
with an own constant probability, and these are Beta(alpha, beta) over the cohort. For a business
that knows how many of a cohort were left after each renewal, and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churn.errors import InputError
from churn.features.encoding import Columns, row_count

Floats = NDArray[np.float64]

RENEWALS_CAVEAT = (
    "Customers renew as those of the one cohort did, whoever they are: stays differ by the number of "
    "renewals so far and by nothing else."
)

ALL_NEW = "Every customer counts as new, because the contract has no tenure in months."


@dataclass(frozen=True)
class Renewals:
    """A fitted cohort.

    Attributes:
        alpha: first parameter of the beta distribution of giving up.
        beta: second.
        log_likelihood: of the cohort.
    """

    alpha: float
    beta: float
    log_likelihood: float

    def survival(self, renewals: int) -> Floats:
        """Share that is left after 0, 1, ... renewals, float64[renewals + 1]."""
        return _survival(self.alpha, self.beta, renewals)


@dataclass(frozen=True, eq=False)
class RenewalStays:
    """How long customers stay by a cohort of renewals: the other way to `HazardModel`.

    Attributes:
        fitted: the cohort.
        draws: other parameters that it allows, alpha and beta, float64[draws, 2].
        tenure: name of the column that counts months; None where all are at the beginning.
        months: between two renewals.
    """

    fitted: Renewals
    draws: Floats
    tenure: str | None
    months: int

    def expected_months(self, columns: Columns, *, horizon: int, yearly_discount: float) -> Floats:
        """Discounted months that each of n customers is expected to stay, float64[1 + draws, n].

        A contract's months all count until its end: its last one comes before the renewal.

        Args:
            columns: encoded columns of the customers.
            horizon: months that are counted, at most.
            yearly_discount: 0.1 takes a tenth off what comes a year later.
        """
        count = row_count(columns)
        tenure = np.zeros(count) if self.tenure is None else columns[self.tenure]
        begun, place = np.unique(np.maximum(tenure, 0).astype(np.int64), return_inverse=True)
        ahead = np.arange(1, horizon + 1)
        renewals = (begun[:, None] + ahead - 1) // self.months  # a month is paid before it ends
        discount = (1.0 + yearly_discount) ** (-ahead / 12.0)
        expected = np.empty((1 + len(self.draws), count))
        parameters = np.vstack([[self.fitted.alpha, self.fitted.beta], self.draws])
        for row, (alpha, beta) in enumerate(parameters):
            left = _survival(alpha, beta, int(renewals.max(initial=0)))
            share = left[renewals] / left[begun // self.months][:, None]
            expected[row] = (share @ discount)[place]
        return expected


def renewal_stays(
    survivors: Sequence[float], tenure: str | None, months: int, *, draws: int, seed: int
) -> RenewalStays:
    """Fits a cohort, and draws other cohorts of the same size by its parameters: a parametric bootstrap.

    Raises:
        InputError: as `fit_renewals`.
    """
    fitted = fit_renewals(survivors)
    share = fitted.survival(len(survivors) - 1)
    ends = np.append(-np.diff(share), share[-1])
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(round(survivors[0]), ends, draws)
    again = []
    for lost in drawn:
        other = _maximum(
            survivors[0] - np.concatenate([[0], lost[:-1].cumsum()]).astype(np.float64)
        )
        again.append([other.alpha, other.beta])
    return RenewalStays(fitted, np.asarray(again), tenure, months)


def fit_renewals(survivors: Sequence[float]) -> Renewals:
    """Fits the model by maximum likelihood.

    Args:
        survivors: customers of one cohort at its beginning and after each renewal.

    Raises:
        InputError: they are no cohort: empty, rising, or nobody has left.

    Examples:
        >>> fitted = fit_renewals([1000, 869, 743, 653, 593, 551, 517, 491])
        >>> round(fitted.alpha, 4), round(fitted.beta, 4), round(fitted.log_likelihood, 3)
        (0.6681, 3.8061, -1611.158)
    """
    left = np.asarray(survivors, dtype=np.float64)
    _require_cohort(left)
    return _maximum(left)


def _maximum(left: Floats) -> Renewals:
    from scipy.optimize import minimize

    lost, periods = -np.diff(left), len(left) - 1

    def loss(logarithms: Floats) -> float:
        alpha, beta = np.exp(logarithms)
        share = _survival(alpha, beta, periods)
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.append(lost * np.log(-np.diff(share)), left[-1] * np.log(share[-1]))
        return float(-np.nan_to_num(terms, nan=-1e12, neginf=-1e12).sum())

    best = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9})
    alpha, beta = np.exp(best.x)
    return Renewals(alpha=float(alpha), beta=float(beta), log_likelihood=-float(best.fun))


def _survival(alpha: float, beta: float, periods: int) -> Floats:
    at = np.arange(1, periods + 1)
    return np.concatenate([[1.0], np.cumprod((beta + at - 1) / (alpha + beta + at - 1))])


def _require_cohort(left: Floats) -> None:
    if len(left) < 3:  # noqa: PLR2004 - two parameters
        raise InputError("A cohort needs its size and the survivors of two renewals at least.")
    if not np.isfinite(left).all() or (left < 0).any() or left[0] == 0:
        raise InputError("A cohort of renewals is empty or holds what is no number of customers.")
    if (np.diff(left) > 0).any():
        at = int(np.flatnonzero(np.diff(left) > 0)[0]) + 1
        raise InputError(
            f"The survivors of a cohort cannot rise, as they do from {left[at - 1]:g} to {left[at]:g} "
            f"at renewal {at}; count the customers of one cohort only."
        )
    if left[-1] == left[0]:
        raise InputError("Nobody of the cohort has left, so no renewals can be foretold.")
