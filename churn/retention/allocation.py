"""Who is offered what: the greatest expected profit that keeps every limit.

Each customer gets one offer at most, and none that costs more than it is expected to save. Up to
`EXACT_CUSTOMERS` the integer programme goes to HiGHS. Beyond, its Lagrangian dual is minimised: each
limit gets a price, and every customer takes what is worth most at these prices (Fisher 1981,
Management Science 27:1-18). What still breaks a limit is taken back, cheapest first; what is left
over is given away again. The dual is a bound on every allocation, so the gap to it is known.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp, minimize

from churn.errors import ChurnError
from churn.retention.limits import Limit

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

EXACT_CUSTOMERS = 5_000
_EXACT_VARIABLES = 2_000
_GAP = 1e-4
_SLACK = 1e-9
_DUAL_STEPS = 400
_FILLED = 20_000  # customers who are looked at for what is left over, at most


@dataclass(frozen=True, eq=False)
class Allocation:
    """Who is offered what.

    Attributes:
        chosen: int64[n], place of the offer; -1 for none.
        profit: expected of the whole, in currency.
        bound: no allocation that keeps the limits is expected to earn more.
        method: HiGHS, or the Lagrangian dual.
        prices: what one more unit of each limit would earn, float64[limits]; 0 where it does not bind.
    """

    chosen: Places
    profit: float
    bound: float
    method: Literal["HiGHS", "Lagrangian dual"]
    prices: Floats

    @property
    def gap(self) -> float:
        """What is at most missing to the best allocation, as a share of it."""
        return max(0.0, self.bound - self.profit) / self.bound if self.bound > 0 else 0.0


def allocate(
    profit: Floats, limits: Sequence[Limit], *, exact_customers: int = EXACT_CUSTOMERS
) -> Allocation:
    """Chooses offers.

    Args:
        profit: float64[offers, n], expected of each offer; -inf where a customer is not eligible.
        limits: what must be kept.
        exact_customers: up to so many customers with an offer that pays, HiGHS decides.

    Raises:
        ChurnError: HiGHS fails.
    """
    paying = np.flatnonzero((profit > 0).any(axis=0))
    if len(paying) == 0:
        nobody = np.full(profit.shape[1], -1)
        return Allocation(nobody, 0.0, 0.0, "HiGHS", np.zeros(len(limits)))
    prices, bound = _dual(profit, limits)
    if len(paying) <= exact_customers:
        chosen, bound = _solve(profit, limits, paying)
        method: Literal["HiGHS", "Lagrangian dual"] = "HiGHS"
    else:
        chosen, method = _rounded(profit, limits, prices), "Lagrangian dual"
    called = np.flatnonzero(chosen >= 0)
    earned = float(profit[chosen[called], called].sum())
    return Allocation(chosen, earned, max(bound, earned), method, prices)


def _solve(profit: Floats, limits: Sequence[Limit], paying: Places) -> tuple[Places, float]:
    """The integer programme: a variable for each offer that pays, a row for each customer and limit."""
    from scipy.sparse import coo_array, csr_array, vstack

    offers, places = np.nonzero(profit[:, paying] > 0)
    customers = paying[places]
    count = len(offers)
    one_each = coo_array((np.ones(count), (places, np.arange(count)))).tocsr()
    rows = [
        csr_array(np.broadcast_to(limit.weight, profit.shape)[offers, customers][None])
        for limit in limits
    ]
    bounds = np.concatenate([np.ones(one_each.shape[0]), [limit.bound for limit in limits]])
    gap = 0.0 if count <= _EXACT_VARIABLES else _GAP
    with _silent_output():
        found = milp(
            -profit[offers, customers],
            integrality=np.ones(count, dtype=np.int64),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(vstack([one_each, *rows]).tocsr(), -np.inf, bounds),
            options={"mip_rel_gap": gap},
        )
    if found.x is None:
        raise ChurnError(f"HiGHS found no allocation: {found.message}")
    taken = np.flatnonzero(found.x > 0.5)  # noqa: PLR2004 - a variable is 0 or 1
    chosen = np.full(profit.shape[1], -1)
    chosen[customers[taken]] = offers[taken]
    return _kept(profit, limits, chosen), -float(found.mip_dual_bound)


@contextmanager
def _silent_output() -> Iterator[None]:
    """Keeps the lines for its own developers that HiGHS prints past Python (SciPy 1.17) off the terminal."""
    sys.stdout.flush()
    kept, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nothing)


def _dual(profit: Floats, limits: Sequence[Limit]) -> tuple[Floats, float]:
    """The prices that make the bound least, and the bound."""
    if not limits:
        return np.zeros(0), float(np.maximum(profit.max(axis=0), 0.0).sum())
    bounds = np.array([limit.bound for limit in limits])
    # A price is looked for as a multiple of what one unit is worth on average.
    best = np.maximum(profit.max(axis=0), 0.0)
    scale = np.array([_worth_of_one(limit, best) for limit in limits])
    least_bound, least_prices = np.inf, np.zeros(len(limits))

    def value(scaled: Floats) -> tuple[float, Floats]:
        nonlocal least_bound, least_prices
        prices = scaled * scale
        chosen, worth = _priced(profit, limits, prices)
        total = float(worth.sum() + prices @ bounds)
        if total < least_bound:
            least_bound, least_prices = total, prices
        slope = bounds - np.array([limit.used(chosen) for limit in limits])
        return total, slope * scale

    minimize(
        value,
        np.zeros(len(limits)),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * len(limits),
        options={"maxfun": _DUAL_STEPS, "maxiter": _DUAL_STEPS, "ftol": 1e-10},
    )
    return least_prices, least_bound


def _worth_of_one(limit: Limit, best: Floats) -> float:
    weight = float(np.abs(limit.weight).max())
    return float(best[best > 0].mean()) / weight if weight > 0 else 1.0


def _priced(profit: Floats, limits: Sequence[Limit], prices: Floats) -> tuple[Places, Floats]:
    """What each customer takes at these prices, and what that is worth at them."""
    of_offer, of_customer = np.zeros((len(profit), 1)), np.zeros((1, profit.shape[1]))
    whole: list[tuple[float, Floats]] = []
    for limit, price in zip(limits, prices, strict=True):
        if price == 0:
            continue
        if limit.weight.shape[1] == 1:
            of_offer = of_offer + price * limit.weight
        elif limit.weight.shape[0] == 1:
            of_customer = of_customer + price * limit.weight
        else:
            whole.append((price, limit.weight))
    chosen = np.full(profit.shape[1], -1)
    worth = np.zeros(profit.shape[1])
    for place, own in enumerate(profit):
        left = np.where(own > 0, own, -np.inf) - of_offer[place] - of_customer[0]
        for price, weight in whole:
            left -= price * weight[place]
        better = left > worth
        chosen[better] = place
        worth[better] = left[better]
    return chosen, worth


def _rounded(profit: Floats, limits: Sequence[Limit], prices: Floats) -> Places:
    """An allocation near the prices' that keeps every limit."""
    chosen, worth = _priced(profit, limits, prices)
    return _filled(profit, limits, prices, _within(limits, chosen, worth))


def _kept(profit: Floats, limits: Sequence[Limit], chosen: Places) -> Places:
    """HiGHS keeps a row up to a tolerance; what is beyond is taken back."""
    worth = profit[chosen, np.arange(len(chosen))]
    return _within(limits, chosen, np.where(chosen >= 0, worth, 0.0))


def _within(limits: Sequence[Limit], chosen: Places, worth: Floats) -> Places:
    """Takes back what is worth least until every limit is kept; nothing at all keeps them all."""
    chosen = chosen.copy()
    broken = True
    while broken:
        broken = False
        for limit in limits:
            over = limit.used(chosen) - limit.bound
            if over <= _SLACK * max(1.0, abs(limit.bound)):
                continue
            broken = True
            called = np.flatnonzero(chosen >= 0)
            weights = limit.weights(chosen, called)
            some = called[weights > 0]
            order = some[np.argsort(worth[some], kind="stable")]
            taken = np.cumsum(limit.weights(chosen, order))
            enough = int(np.searchsorted(taken, over)) + 1
            chosen[order[:enough]] = -1
    return chosen


def _filled(profit: Floats, limits: Sequence[Limit], prices: Floats, chosen: Places) -> Places:
    """Gives away what the limits leave, the most that it is worth at the prices first."""
    chosen = chosen.copy()
    left = np.array([limit.bound - limit.used(chosen) for limit in limits])
    priced = profit - sum(price * limit.weight for limit, price in zip(limits, prices, strict=True))
    priced[:, chosen >= 0] = -np.inf
    priced[profit <= 0] = -np.inf
    candidates = np.flatnonzero(np.isfinite(priced.max(axis=0)))
    order = candidates[np.argsort(-priced[:, candidates].max(axis=0), kind="stable")]
    for customer in order[:_FILLED].tolist():
        for offer in np.argsort(-priced[:, customer]).tolist():
            if not np.isfinite(priced[offer, customer]):
                break
            weights = np.array([limit.of(offer, customer) for limit in limits])
            if (weights <= left + _SLACK).all():
                chosen[customer] = offer
                left -= weights
                break
    return chosen
