"""Who is contacted with what, and for everybody why, or why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from churn.campaign.scored_customers import ScoredCustomers
from churn.errors import InputError
from churn.frozen_model import FrozenModel
from churn.retention.allocation import Allocation, allocate
from churn.retention.limits import Limit, playbook_limits
from churn.retention.offer_profit import OfferProfits, offer_profits, profit_draws
from churn.retention.playbook import Playbook
from churn.retention.value import RemainingMargin, monthly_charge

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Mask = NDArray[np.bool_]

_BOUNDS = (0.025, 0.975)


class LimitUse(FrozenModel):
    """How far a limit is used.

    Attributes:
        name: in words.
        used: of the bound.
        bound: what is allowed.
        price: what one more unit would earn, in currency; 0 where it does not bind.
    """

    name: str
    used: float
    bound: float
    price: float


class AllocationFacts(FrozenModel):
    """How the offers were allocated.

    Attributes:
        method: HiGHS, or the Lagrangian dual.
        profit: expected of the campaign.
        cost: expected.
        bound: no allocation within the limits is expected to earn more.
        gap: what is at most missing to the best allocation, as a share of it.
        limits: of the playbook.
    """

    method: str
    profit: float
    cost: float
    bound: float
    gap: float
    limits: tuple[LimitUse, ...]


@dataclass(frozen=True, eq=False)
class CampaignPlan:
    """The decision about n customers.

    Attributes:
        playbook: the offers.
        chosen: int64[n], place of the offer made; -1 for none.
        profit: float64[n], expected of it, `lower` and `upper` its interval; 0 for none.
        cost: float64[n], expected.
        holdout: bool[n], left out by chance in every campaign.
        pays: bool[n], whether any offer is expected to earn more than it costs.
        why: a pyarrow table of n rows, with the reason of each decision in words.
        facts: of the allocation.
    """

    playbook: Playbook
    chosen: Places
    profit: Floats
    lower: Floats
    upper: Floats
    cost: Floats
    holdout: Mask
    pays: Mask
    why: pa.Table
    facts: AllocationFacts

    @property
    def called(self) -> Mask:
        """Who is contacted, bool[n]."""
        return self.chosen >= 0

    @property
    def actions(self) -> NDArray[np.str_]:
        """Name of each customer's offer, str[n]; empty for none."""
        return np.asarray([*self.playbook.offers, ""])[self.chosen]


def plan_campaign(
    scored: ScoredCustomers,
    margin: RemainingMargin,
    playbook: Playbook,
    *,
    kept_out: Mapping[int, str],
    holdout: Mask,
    money: str,
    seed: int,
) -> CampaignPlan:
    """Allocates the offers.

    Args:
        scored: the customers.
        margin: what each is expected still to bring.
        playbook: the offers and their limits.
        kept_out: row -> why nobody may contact this customer.
        holdout: bool[n], left out by chance.
        money: what an amount is followed by.
        seed: of the draws behind the intervals.
    """
    offered = offer_profits(playbook, scored.contract, scored.columns, scored.risk, margin.expected)
    left = ~holdout
    left[list(kept_out)] = False
    limits = playbook_limits(
        playbook, scored.contract, scored.columns, offered.cost, offered.pays & left
    )
    found = allocate(np.where(left, offered.profit, -np.inf), limits)
    called = np.flatnonzero(found.chosen >= 0)
    profit, cost, lower, upper = (np.zeros(len(scored.risk)) for _ in range(4))
    profit[called] = offered.profit[found.chosen[called], called]
    cost[called] = offered.cost[found.chosen[called], called]
    drawn = _drawn(scored, margin, playbook, found.chosen, seed)
    if len(called):
        lower[called], upper[called] = np.quantile(drawn, _BOUNDS, axis=0)
    words = _Words(playbook, offered, limits, found, money)
    return CampaignPlan(
        playbook=playbook,
        chosen=found.chosen,
        profit=profit,
        lower=lower,
        upper=upper,
        cost=cost,
        holdout=holdout,
        pays=offered.pays,
        why=pa.table({"why": [words.why(i, kept_out, holdout) for i in range(len(profit))]}),
        facts=_facts(found, limits, float(cost.sum())),
    )


def require_contacts(plan: CampaignPlan) -> None:
    """Checks that somebody is contacted; a campaign of nobody has no return and measures nothing.

    Raises:
        InputError: nobody is; the sentence counts the reasons.
    """
    if plan.called.any():
        return
    reasons = Counter(reason_without_amounts(why) for why in plan.why["why"].to_pylist())
    counted = ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())
    raise InputError(
        f"Playbook '{plan.playbook.name}' contacts none of {len(plan.chosen):,} customers, so nothing "
        f"was written ({counted}). Change its offers, its limits or its quiet_days, or wait until they "
        "have passed."
    )


def reason_without_amounts(why: str) -> str:
    """Why a customer is not called, as it is counted: 'costs more than it saves'."""
    return why.removeprefix("not called: ").partition(" (")[0]


def _facts(found: Allocation, limits: Sequence[Limit], cost: float) -> AllocationFacts:
    """How the offers were allocated."""
    return AllocationFacts(
        method=found.method,
        profit=found.profit,
        cost=cost,
        bound=found.bound,
        gap=found.gap,
        limits=tuple(
            LimitUse(name=limit.name, used=limit.used(found.chosen), bound=limit.bound, price=price)
            for limit, price in zip(limits, found.prices.tolist(), strict=True)
        ),
    )


def _drawn(
    scored: ScoredCustomers,
    margin: RemainingMargin,
    playbook: Playbook,
    chosen: Places,
    seed: int,
) -> Floats:
    """Profit of each contacted customer under drawn assumptions, float64[draws, contacted]."""
    called = np.flatnonzero(chosen >= 0)
    drawn = np.zeros((margin.draws.shape[1], len(called)))
    charge = monthly_charge(scored.columns, scored.contract)
    for place, offer in enumerate(playbook.offers.values()):
        own = np.flatnonzero(chosen[called] == place)
        rows = called[own]
        some = RemainingMargin(margin.expected[rows], margin.draws[rows], margin.assumptions)
        own_charge = None if charge is None else charge[rows]
        drawn[:, own] = profit_draws(offer, own_charge, scored.risk[rows], some, seed + place)
    return drawn


@dataclass(frozen=True)
class _Words:
    """The reason of each decision in words."""

    playbook: Playbook
    offered: OfferProfits
    limits: Sequence[Limit]
    found: Allocation
    money: str

    def why(self, row: int, kept_out: Mapping[int, str], holdout: Mask) -> str:
        chosen = int(self.found.chosen[row])
        best = int(self.offered.profit[:, row].argmax())
        if chosen >= 0:
            said = (
                f"expected to save {self._saved(chosen, row)} and to cost {self._cost(chosen, row)}"
            )
            if chosen == best:
                return said
            return f"{said}; not {self._title(best)}, because {self._limit(best, row)}"
        if row in kept_out:
            return f"not called: {kept_out[row]}"
        if holdout[row]:
            return "not called: left out by chance, to compare with"
        if not np.isfinite(self.offered.profit[best, row]):
            return "not called: no offer is open to this customer"
        if self.offered.profit[best, row] <= 0:
            return (
                f"not called: costs more than it saves ({self._title(best)} would cost "
                f"{self._cost(best, row)} and is expected to save {self._saved(best, row)})"
            )
        return f"not called: {self._limit(best, row)}"

    def _title(self, offer: int) -> str:
        return list(self.playbook.offers.values())[offer].title

    def _saved(self, offer: int, row: int) -> str:
        return f"{self.offered.saved[offer, row]:,.2f} {self.money}"

    def _cost(self, offer: int, row: int) -> str:
        return f"{self.offered.cost[offer, row]:,.2f} {self.money}"

    def _limit(self, offer: int, row: int) -> str:
        """The limit that is worth most where it stands in the way of an offer."""
        worth = [
            price * limit.of(offer, row)
            for limit, price in zip(self.limits, self.found.prices, strict=True)
        ]
        first = int(np.argmax(worth))
        if worth[first] <= 0:
            return "others earn more within the limits"
        return self.limits[first].used_up
