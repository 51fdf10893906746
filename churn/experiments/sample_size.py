"""How many customers an experiment on churn rates needs, and what a given number can detect.

Two methods are in use, and they differ by a customer or two. `cohens_h` is the difference of the
arcsine-transformed rates (Cohen 1988, "Statistical Power Analysis", chapter 6), as statsmodels'
`NormalIndPower` has it. `pooled_normal` is the test with the pooled rate under the null hypothesis (Fleiss,
Levin & Paik 2003, "Statistical Methods for Rates and Proportions", chapter 4).

Every test is two-sided. `ratio` is the number of treated customers for each one in the holdout.
"""

from __future__ import annotations

from math import asin, ceil, sin, sqrt

from scipy.optimize import brentq
from scipy.stats import norm

from churn.errors import InputError
from churn.experiments.experiment_settings import Method


def sample_size(
    holdout_rate: float,
    treated_rate: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    ratio: float = 1.0,
    method: Method = "cohens_h",
) -> int:
    """Customers that the holdout needs; the treated arm needs `ratio` times as many.

    Raises:
        InputError: the rates are equal or not between 0 and 1, or alpha, power or ratio is out of range.

    Examples:
        >>> sample_size(0.265, 0.2385)
        4209
        >>> sample_size(0.265, 0.2385, method="pooled_normal")
        4210
    """
    _check(holdout_rate, treated_rate, alpha=alpha, power=power, ratio=ratio)
    if holdout_rate == treated_rate:
        raise InputError(
            f"Both arms are expected to churn at {holdout_rate:.2%}: no number of customers detects "
            "a difference of nothing. Name the least difference that is worth detecting."
        )
    if method == "pooled_normal":
        return ceil(_pooled_normal(holdout_rate, treated_rate, alpha, power, ratio))
    effect = abs(cohens_h(holdout_rate, treated_rate))

    def missing(holdout: float) -> float:
        return _power(effect, holdout, alpha, ratio) - power

    enough = 4 * (norm.isf(alpha / 2) + norm.ppf(power)) ** 2 * (1 + 1 / ratio) / effect**2
    return ceil(brentq(missing, 0.0, enough, xtol=1e-9))


def achieved_power(
    holdout_rate: float,
    treated_rate: float,
    holdout: int,
    *,
    alpha: float = 0.05,
    ratio: float = 1.0,
) -> float:
    """Chance of finding that difference with so many customers in the holdout, by Cohen's h.

    Raises:
        InputError: a rate, alpha or ratio is out of range, or the holdout is empty.
    """
    _check(holdout_rate, treated_rate, alpha=alpha, power=0.8, ratio=ratio)
    _check_holdout(holdout)
    return _power(abs(cohens_h(holdout_rate, treated_rate)), holdout, alpha, ratio)


def detectable_rate(
    holdout_rate: float,
    holdout: int,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    ratio: float = 1.0,
) -> float | None:
    """Highest churn rate of the treated that differs detectably from the holdout's, by Cohen's h.

    None where not even a rate of 0 could be told from it.

    Raises:
        InputError: a rate, alpha, power or ratio is out of range, or the holdout is empty.

    Examples:
        >>> round(detectable_rate(0.265, 4209), 4)
        0.2385
    """
    _check(holdout_rate, holdout_rate, alpha=alpha, power=power, ratio=ratio)
    _check_holdout(holdout)

    def missing(effect: float) -> float:
        return _power(effect, holdout, alpha, ratio) - power

    widest = 4 * (norm.isf(alpha / 2) + norm.ppf(power)) * sqrt((1 + 1 / ratio) / holdout)
    effect = brentq(missing, 0.0, widest, xtol=1e-12)
    angle = asin(sqrt(holdout_rate)) - effect / 2
    return sin(angle) ** 2 if angle >= 0 else None


def cohens_h(holdout_rate: float, treated_rate: float) -> float:
    """Difference of two rates on the arcsine scale, where its variance does not depend on them."""
    return 2 * asin(sqrt(holdout_rate)) - 2 * asin(sqrt(treated_rate))


def _power(effect: float, holdout: float, alpha: float, ratio: float) -> float:
    """Chance that either side of the two-sided test is reached."""
    shift = effect * sqrt(holdout / (1 + 1 / ratio))
    reach = norm.isf(alpha / 2)
    return float(norm.sf(reach - shift) + norm.cdf(-reach - shift))


def _pooled_normal(
    holdout_rate: float, treated_rate: float, alpha: float, power: float, ratio: float
) -> float:
    def variance(rate: float) -> float:
        return rate * (1 - rate)

    pooled = (holdout_rate + ratio * treated_rate) / (1 + ratio)
    under_null = sqrt(variance(pooled) * (1 + 1 / ratio))
    under_effect = sqrt(variance(holdout_rate) + variance(treated_rate) / ratio)
    reached = norm.isf(alpha / 2) * under_null + norm.ppf(power) * under_effect
    return float((reached / (holdout_rate - treated_rate)) ** 2)


def _check(
    holdout_rate: float, treated_rate: float, *, alpha: float, power: float, ratio: float
) -> None:
    for name, rate in (("holdout", holdout_rate), ("treated", treated_rate)):
        if not 0 < rate < 1:
            raise InputError(
                f"The churn rate expected of the {name} is {rate:g}, which is not between 0 and 1; "
                "give it as a share, such as 0.265."
            )
    if not 0 < alpha < 1:
        raise InputError(f"alpha is {alpha:g}; it is a share above 0 and below 1, such as 0.05.")
    if not alpha < power < 1:
        raise InputError(
            f"power is {power:g}; it is a share above alpha ({alpha:g}) and below 1, such as 0.8."
        )
    if not 0 < ratio < float("inf"):
        raise InputError(f"ratio is {ratio:g}; it is treated customers for each one held out.")


def _check_holdout(holdout: int) -> None:
    if holdout < 1:
        raise InputError(
            f"The holdout has {holdout} customers, so nothing can be compared with it; raise its "
            "share, or choose a larger group of customers."
        )
