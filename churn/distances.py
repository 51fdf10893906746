"""How far two samples lie apart, beside how far apart they would lie without any drift.

A distance says how bad a change is; only a test says whether there is one. Two samples of one
population never agree, and the fewer rows they have, the further apart they seem: a distance alone
means nothing without the value that chance gives it.

Sources: Siddiqi 2006, "Credit Risk Scorecards" (PSI), and Yurdakul & Naranjo 2020, J. Risk Model
Validation 14 (its law without drift); Smirnov 1948, Annals of Mathematical Statistics 19:279 (KS);
Lin 1991, IEEE Trans. Information Theory 37:145 (Jensen-Shannon); del Barrio, Gine & Matran 1999,
Annals of Probability 27:1009 (Wasserstein).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_MEAN_OF_KOLMOGOROV = math.sqrt(math.pi / 2) * math.log(2)


@dataclass(frozen=True)
class Distance:
    """A distance between two samples.

    Attributes:
        value: as measured.
        expected: its mean over pairs of samples of the same sizes from one population.
    """

    value: float
    expected: float


@dataclass(frozen=True)
class ChiSquare:
    """Pearson's statistic of two rows of counts, or of many pairs of them at once.

    Attributes:
        statistic: float64[...]; without drift its mean is about `freedom`.
        freedom: int64[...]: bins that hold a row of either sample, less one.
    """

    statistic: Floats
    freedom: NDArray[np.int64]

    @property
    def p_value(self) -> Floats:
        """The tail of the chi-square law; 1 where there is nothing to compare."""
        # Here, as it takes long, and whatever scores never needs it.
        from scipy.special import chdtrc

        tail = chdtrc(np.maximum(self.freedom, 1), self.statistic)
        return np.asarray(np.where(self.freedom > 0, tail, 1.0), dtype=np.float64)


def smoothed_shares(counts: ArrayLike) -> Floats:
    """Shares of the bins, with half a row added to each (Jeffreys' prior), so that none is 0."""
    filled = np.asarray(counts, dtype=np.float64) + 0.5
    return np.asarray(filled / filled.sum(), dtype=np.float64)


def psi_terms(was: ArrayLike, now: ArrayLike) -> Floats:
    """What each bin adds to the population stability index, in nats.

    Args:
        was: [bins] shares of the earlier sample, all above 0.
        now: [bins] shares of the later one, all above 0.

    Examples:
        >>> round(float(psi_terms([0.1, 0.2, 0.3, 0.4], [0.15, 0.25, 0.3, 0.3]).sum()), 7)
        0.0601986
    """
    before, after = np.asarray(was, dtype=np.float64), np.asarray(now, dtype=np.float64)
    if not ((before > 0).all() and (after > 0).all()):
        raise ValueError("a share is 0; smooth the counts first")
    return np.asarray((after - before) * np.log(after / before), dtype=np.float64)


def psi(before: ArrayLike, after: ArrayLike) -> Distance:
    """The population stability index of two rows of counts, in nats."""
    was, now = np.asarray(before), np.asarray(after)
    value = float(psi_terms(smoothed_shares(was), smoothed_shares(now)).sum())
    return Distance(value, _occupied(was, now) * _inverse_sizes(was.sum(), now.sum()))


def jensen_shannon(before: ArrayLike, after: ArrayLike) -> Distance:
    """The Jensen-Shannon distance of two rows of counts: the root of the divergence, in nats."""
    from scipy.spatial.distance import jensenshannon
    from scipy.special import gammaln

    was, now = np.asarray(before), np.asarray(after)
    freedom = _occupied(was, now)
    scale = math.sqrt(_inverse_sizes(was.sum(), now.sum()) / 8)
    # The divergence is about a chi-square variable / 8; this is the mean of its root.
    mean = math.sqrt(2) * math.exp(gammaln((freedom + 1) / 2) - gammaln(freedom / 2))
    value = float(jensenshannon(was, now))
    return Distance(value, scale * mean if freedom else 0.0)


def chi_square(before: ArrayLike, after: ArrayLike, *, added: float = 0.0) -> ChiSquare:
    """Pearson's statistic for two rows of counts [..., bins]; bins that are empty in both do not count.

    `added` rows in every expected count keep a single row in a rare bin from being a finding: without
    them the law of few rows has a far heavier tail than the chi-square's.
    """
    was = np.asarray(before, dtype=np.float64)
    now = np.asarray(after, dtype=np.float64)
    m, n = was.sum(axis=-1, keepdims=True), now.sum(axis=-1, keepdims=True)
    both = was + now
    share = both / np.maximum(m + n, 1)
    apart = (now - n * share) ** 2  # equal to that of the other sample
    filled = both > 0
    terms = np.zeros_like(both)
    for rows in (m, n):
        terms += np.divide(apart, rows * share + added, out=np.zeros_like(both), where=filled)
    return ChiSquare(terms.sum(axis=-1), np.maximum(filled.sum(axis=-1) - 1, 0))


def kolmogorov_smirnov(before: ArrayLike, after: ArrayLike) -> Distance:
    """The largest gap between the distribution functions of two samples of numbers."""
    from scipy.stats import ks_2samp

    was, now = np.asarray(before), np.asarray(after)
    return Distance(float(ks_2samp(was, now).statistic), expected_gap(was.size, now.size))


def expected_gap(m: int, n: int) -> float:
    """The mean of the Kolmogorov-Smirnov distance between m and n rows without drift."""
    return _MEAN_OF_KOLMOGOROV * math.sqrt(_inverse_sizes(m, n))


def wasserstein(
    before: ArrayLike, after: ArrayLike, *, rows: tuple[int, int] | None = None
) -> Distance:
    """How far, on average, a row's number must be moved to turn one sample into the other.

    In the numbers' own unit. Where evenly spaced quantiles stand for the samples, `rows` says how
    many rows are behind them.
    """
    from scipy.stats import wasserstein_distance

    was, now = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    values = np.sort(np.concatenate([was, now]))
    below = np.arange(1, values.size) / values.size
    spread = float((np.sqrt(below * (1 - below)) * np.diff(values)).sum())
    sizes = rows or (was.size, now.size)
    expected = math.sqrt(2 / math.pi * _inverse_sizes(*sizes)) * spread
    return Distance(float(wasserstein_distance(was, now)), expected)


def _occupied(before: NDArray[Any], after: NDArray[Any]) -> int:
    return max(int(((before > 0) | (after > 0)).sum()) - 1, 0)


def _inverse_sizes(m: float, n: float) -> float:
    return 1 / float(m) + 1 / float(n)
