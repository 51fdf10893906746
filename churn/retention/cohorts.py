"""Cohorts: customers of one risk band, one third of the values and one main reason.

Whoever no offer pays for is in a cell of its own, do-not-disturb: contacting such customers costs
more than it saves, and may remind them that they can leave (Ascarza 2018, Journal of Marketing
Research 55:80-98).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from churn.frozen_model import FrozenModel
from churn.retention.value import RemainingMargin

Floats = NDArray[np.float64]
Texts = NDArray[np.str_]

DO_NOT_DISTURB = "do-not-disturb"
OTHER = "other"
UPPER = "upper"
ALIKE = "alike"  # where all customers are worth the same
_THIRDS = ("lower", "middle", UPPER)
_BOUNDS = (0.025, 0.975)


class Amount(FrozenModel):
    """An amount, and its interval at the 95% level."""

    expected: float
    lower: float
    upper: float


class Cohort(FrozenModel):
    """A cohort; amounts in the currency of the value.

    Attributes:
        id: the same in every run: band, third of the value and reason.
        band: risk band.
        value_third: lower, middle or upper; `alike` where all are worth the same.
        reason: column that raises the risk of its customers most; `other` for the rare ones.
        customers: how many.
        leavers: how many are expected to leave.
        margin: expected still to be brought by all of them, if kept.
        at_risk: of that, what is expected to go with those who leave.
    """

    id: str
    band: str
    value_third: str
    reason: str
    customers: int
    leavers: Amount
    margin: Amount
    at_risk: Amount

    @property
    def words(self) -> str:
        """What the id says, in words."""
        if self.id == DO_NOT_DISTURB:
            return "do not disturb"
        value = "" if self.value_third == ALIKE else f", {self.value_third} value"
        return f"{band_words(self.band)} risk{value}: {self.reason}"


def band_words(band: str) -> str:
    """A risk band in words: 'very high'."""
    return band.replace("_", " ")


def cohort_ids(
    band: Texts, margin: Floats, reason: Texts, pays: NDArray[np.bool_], *, smallest: int
) -> Texts:
    """The cohort of each of n customers, str[n].

    Args:
        band: risk bands.
        margin: expected remaining margins.
        reason: main reasons.
        pays: whether any offer is expected to earn more than it costs.
        smallest: reasons with fewer customers of a band and third are taken together.
    """
    third = value_thirds(margin)
    ids = _joined(band, third, reason)
    names, counts = np.unique(ids[pays], return_counts=True)
    rare = pays & np.isin(ids, names[counts < smallest])
    ids = np.where(rare, _joined(band, third, np.full(len(ids), OTHER)), ids)
    return np.where(pays, ids, DO_NOT_DISTURB)


def value_thirds(margin: Floats) -> Texts:
    """Which third of the values each customer is in, str[n]; equal values are in that of their middle rank."""
    if np.ptp(margin) == 0:
        return np.full(len(margin), ALIKE)
    from scipy.stats import rankdata

    third = (rankdata(margin) - 0.5) * 3 // len(margin)
    return np.asarray(_THIRDS)[third.astype(np.int64)]


def all_at_risk(risk: Floats, margin: RemainingMargin, *, seed: int) -> Amount:
    """Margin expected to go with those of all customers who leave."""
    everybody = np.arange(len(risk))
    return _cohort(OTHER, everybody, risk, margin, np.random.default_rng(seed)).at_risk


def cohorts(ids: Texts, risk: Floats, margin: RemainingMargin, *, seed: int) -> tuple[Cohort, ...]:
    """Sizes and prices the cohorts, the most at risk first.

    The intervals hold both what the parameters leave open and who leaves by chance.
    """
    rng = np.random.default_rng(seed)
    found = [
        _cohort(str(each), np.flatnonzero(ids == each), risk, margin, rng)
        for each in np.unique(ids)
    ]
    return tuple(sorted(found, key=lambda each: (-each.at_risk.expected, each.id)))


def _cohort(
    name: str,
    rows: NDArray[np.int64],
    risk: Floats,
    margin: RemainingMargin,
    rng: np.random.Generator,
) -> Cohort:
    chance, worth = risk[rows], margin.expected[rows]
    draws = margin.draws[rows].astype(np.float64)
    spread = chance * (1 - chance)
    luck = rng.standard_normal(draws.shape[1])
    band, third, reason = name.split("/", 2) if "/" in name else (DO_NOT_DISTURB, "all", "all")
    return Cohort(
        id=name,
        band=band,
        value_third=third,
        reason=reason,
        customers=len(rows),
        leavers=_amount(chance.sum(), chance.sum() + luck * np.sqrt(spread.sum())),
        margin=_amount(worth.sum(), draws.sum(axis=0)),
        at_risk=_amount(float(chance @ worth), chance @ draws + luck * np.sqrt(spread @ worth**2)),
    )


def _amount(expected: float, drawn: Floats) -> Amount:
    lower, upper = np.quantile(drawn, _BOUNDS)
    return Amount(expected=float(expected), lower=max(0.0, float(lower)), upper=float(upper))


def _joined(band: Texts, third: Texts, reason: Texts) -> Texts:
    return np.asarray(
        ["/".join(each) for each in zip(band, third, reason, strict=True)], dtype=np.str_
    )
