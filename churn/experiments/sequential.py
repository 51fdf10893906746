"""Looks at a running experiment that keep its error rate: group-sequential bounds.

Who looks twelve times at 1.96 finds a difference that is not there in 20.75% of experiments, not in
5%. A plan fixes the looks, and for each the |z| that must be reached to stop. The probabilities are
exact: the joint distribution of the looks is integrated numerically (Armitage, McPherson & Rowe
1969; Jennison & Turnbull 2000, "Group Sequential Methods", chapter 19).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, pi, sqrt

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import norm

from churn.errors import InputError

Floats = npt.NDArray[np.float64]

_LEAST_PAIRS, _MOST_PAIRS = 50, 1000
_WIDEST = 9.0  # standard deviations beyond which nothing is left to integrate
_MOST_LOOKS = 100
_HIGHEST_BOUND = 38.0  # beyond, a normal tail is 0 in floating point


@dataclass(frozen=True, eq=False)
class _Going:
    """Experiments that no look has stopped: where their z x sqrt(share) lies, and how many lie there."""

    share: float
    nodes: Floats
    mass: Floats

    def crossing(self, bound: float, share: float, drift: float = 0.0) -> float:
        """How many of all stop at the next look."""
        spread, edge = sqrt(share - self.share), bound * sqrt(share)
        mean = self.nodes + drift * (share - self.share)
        outside = norm.sf((edge - mean) / spread) + norm.cdf((-edge - mean) / spread)
        return float(self.mass @ outside)

    def inside(self, bound: float, share: float, drift: float = 0.0) -> _Going:
        """Those that go on after the next look."""
        spread, edge = sqrt(share - self.share), bound * sqrt(share)
        far = _WIDEST * sqrt(share)
        lower, upper = max(-edge, drift * share - far), min(edge, drift * share + far)
        if lower >= upper:  # the drift has left nobody inside the bounds
            return _Going(share, np.zeros(1), np.zeros(1))
        nodes, weights = _simpson(lower, upper, spread)
        mean = self.nodes + drift * (share - self.share)
        distance = (nodes[:, None] - mean[None, :]) / spread
        density = np.exp(-0.5 * distance**2) @ self.mass / (spread * sqrt(2 * pi))
        return _Going(share, nodes, weights * density)


def _simpson(lower: float, upper: float, spread: float) -> tuple[Floats, Floats]:
    """Nodes and weights of Simpson's rule, close enough for a density of that spread."""
    pairs = min(max(_LEAST_PAIRS, ceil(5 * (upper - lower) / spread)), _MOST_PAIRS)
    nodes = np.linspace(lower, upper, 2 * pairs + 1)
    weights = np.tile([2.0, 4.0], pairs + 1)[: 2 * pairs + 1]
    weights[[0, -1]] = 1.0
    return nodes, weights * (upper - lower) / (6 * pairs)


_BEGIN = _Going(0.0, np.zeros(1), np.ones(1))


def crossing_probabilities(
    bounds: Sequence[float], information: Sequence[float], drift: float = 0.0
) -> Floats:
    """Chance that each look is the first at which |z| reaches its bound.

    Args:
        bounds: |z| at which each look stops the experiment, above 0.
        information: share of all customers whose outcome is known at each look, rising, at most 1.
        drift: what z is expected to be when all outcomes are known; 0 where there is no effect.

    Raises:
        InputError: the shares do not rise within 0 and 1, or their number differs from the bounds'.
    """
    shares = checked_information(information)
    if len(bounds) != len(shares):
        raise InputError(f"{len(bounds)} bounds do not match {len(shares)} looks; give one each.")
    going, first = _BEGIN, []
    for bound, share in zip(bounds, shares.tolist(), strict=True):
        first.append(going.crossing(bound, share, drift))
        going = going.inside(bound, share, drift)
    return np.array(first)


def obrien_fleming(looks: int, alpha: float = 0.05) -> Floats:
    """Two-sided bounds of O'Brien & Fleming (1979) for equally spaced looks: high early, low late.

    Examples:
        >>> obrien_fleming(5).round(3).tolist()
        [4.562, 3.226, 2.634, 2.281, 2.04]
    """
    return _scaled(1 / np.sqrt(equal_information(looks)), alpha)


def pocock(looks: int, alpha: float = 0.05) -> Floats:
    """Two-sided bounds of Pocock (1977) for equally spaced looks: the same at each.

    Examples:
        >>> pocock(5).round(4).tolist()
        [2.4132, 2.4132, 2.4132, 2.4132, 2.4132]
    """
    return _scaled(np.ones(len(equal_information(looks))), alpha)


def lan_demets(information: Sequence[float], alpha: float = 0.05) -> Floats:
    """Two-sided bounds that spend alpha as O'Brien & Fleming do, whenever the looks come.

    Lan & DeMets 1983 (Biometrika 70:659-663): each side of the test has spent 2 - 2 Phi(z / sqrt t) by
    the share t of the information, where z is the normal quantile of 1 - alpha / 4. Looks may be added
    or moved later, as long as that does not depend on what was seen.

    Examples:
        >>> lan_demets([0.2, 0.4, 0.6, 0.8, 1.0]).round(4).tolist()
        [4.8769, 3.357, 2.6803, 2.2898, 2.031]
    """
    _check_alpha(alpha)
    shares = checked_information(information)
    spent = 4 * norm.sf(norm.isf(alpha / 4) / np.sqrt(shares))
    going, bounds = _BEGIN, []
    for share, spends in zip(shares.tolist(), np.diff(spent, prepend=0.0).tolist(), strict=True):

        def overspent(
            bound: float, going: _Going = going, share: float = share, spends: float = spends
        ) -> float:
            return going.crossing(bound, share) - spends

        least = overspent(_HIGHEST_BOUND) >= 0
        bounds.append(_HIGHEST_BOUND if least else _root(overspent, 0.01, _HIGHEST_BOUND))
        going = going.inside(bounds[-1], share)
    return np.array(bounds)


def inflation(
    bounds: Sequence[float], information: Sequence[float], alpha: float, power: float
) -> float:
    """How many times the customers of one look a plan needs at most, for the same power."""
    once = norm.isf(alpha / 2) + norm.ppf(power)

    def missing(factor: float) -> float:
        drift = float(once * np.sqrt(factor))
        return float(crossing_probabilities(bounds, information, drift).sum() - power)

    return _root(missing, 0.5, 10.0)


def equal_information(looks: int) -> list[float]:
    """Shares of equally spaced looks.

    Raises:
        InputError: there is no look, or too many.
    """
    if not 1 <= looks <= _MOST_LOOKS:
        raise InputError(f"{looks} looks cannot be planned; name 1 to {_MOST_LOOKS}.")
    return [float(look / looks) for look in range(1, looks + 1)]


def checked_information(information: Sequence[float]) -> Floats:
    """The shares as float64[looks].

    Raises:
        InputError: they do not rise above 0 and up to at most 1.
    """
    shares = np.asarray(information, dtype=np.float64)
    if not len(shares) or not (np.diff(shares, prepend=0.0) > 0).all() or shares[-1] > 1:
        listed = ", ".join(f"{share:g}" for share in information) or "none"
        raise InputError(
            f"The looks are at shares {listed} of the outcomes; name shares that rise, the first "
            "above 0 and the last at most 1."
        )
    return shares


def _scaled(shape: Floats, alpha: float) -> Floats:
    _check_alpha(alpha)
    information = equal_information(len(shape))

    def overspent(factor: float) -> float:
        crossed = crossing_probabilities((factor * shape).tolist(), information)
        return float(crossed.sum() - alpha)

    return _root(overspent, 0.01, _HIGHEST_BOUND) * shape


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise InputError(f"alpha is {alpha:g}; it is a share above 0 and below 1, such as 0.05.")


def _root(function: Callable[[float], float], lower: float, upper: float) -> float:
    return float(brentq(function, lower, upper, xtol=1e-9))
