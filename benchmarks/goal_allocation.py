"""Offers for a million customers are allocated in a minute, within a thousandth of the best."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from benchmarks.goals import Figure
from benchmarks.trainings import Trainings
from churn.retention.allocation import EXACT_CUSTOMERS, allocate
from churn.retention.limits import Limit

CUSTOMERS, OFFERS = 1_000_000, 6
SECONDS_LIMIT = 60.0
GAP_LIMIT = 0.1
_SAME = 3  # programmes that HiGHS solves, too


def measure(trainings: Trainings) -> Iterator[Figure]:
    """CPU seconds and gap of the Lagrangian dual, and its distance to HiGHS where both run."""
    seconds, gaps = [], []
    for run in range(trainings.runs):
        profit, limits = programme(CUSTOMERS, run)
        began = time.process_time()
        found = allocate(profit, limits)
        seconds.append(time.process_time() - began)
        gaps.append(100 * found.gap)
        _require_kept(found.chosen, limits)
    how = f"process_time of `allocate` on {CUSTOMERS:,} drawn customers with {OFFERS} offers, 15 limits"
    yield Figure(
        f"CPU of {CUSTOMERS:,} x {OFFERS} offers allocated",
        SECONDS_LIMIT,
        "s CPU",
        tuple(seconds),
        how,
    )
    yield Figure(
        "gap of that allocation", GAP_LIMIT, "%", tuple(gaps), "dual bound against its profit"
    )
    yield Figure(
        f"below HiGHS on {EXACT_CUSTOMERS:,} x {OFFERS}",
        GAP_LIMIT,
        "%",
        tuple(_below_highs(seed) for seed in range(_SAME)),
        "profit of the dual against HiGHS' on the same programme",
    )


def programme(customers: int, seed: int) -> tuple[np.ndarray, list[Limit]]:
    """A drawn programme: capacities, two channels, a contact cap, a budget and five fairness floors."""
    rng = np.random.default_rng(seed)
    risk, worth = rng.beta(1, 4, customers), rng.gamma(4, 120, customers)
    acceptance, effect = rng.uniform(0.05, 0.5, OFFERS), rng.uniform(0.1, 0.6, OFFERS)
    contact = np.resize([0.2, 4.0], OFFERS)
    cost = (contact + rng.uniform(2, 40, OFFERS) * acceptance)[:, None] * np.ones(customers)
    profit = (acceptance * effect)[:, None] * risk * worth - cost
    profit[rng.random(profit.shape) < 0.4] = -np.inf  # noqa: PLR2004 - not eligible
    limits = [
        Limit(
            f"offer {each}",
            "used up",
            np.eye(OFFERS)[each][:, None],
            int(customers * rng.uniform(0.02, 0.1)),
        )
        for each in range(OFFERS)
    ]
    for costly, share in ((True, 0.06), (False, 0.15)):
        mine = (contact > 1) == costly
        limits.append(
            Limit(
                f"channel {costly}", "used up", mine.astype(float)[:, None], int(customers * share)
            )
        )
    limits.append(Limit("contacts", "used up", np.ones((OFFERS, 1)), int(customers * 0.18)))
    limits.append(Limit("budget", "used up", cost, 0.8 * customers))
    for groups, floor in ((2, 0.8), (3, 0.9)):
        group = (rng.random(customers) ** 2 * groups).astype(int)
        for each in range(groups):
            mine = group == each
            limits.append(
                Limit(
                    f"group {each} of {groups}", "used up", (floor * mine.mean() - mine)[None], 0.0
                )
            )
    return profit, limits


def _below_highs(seed: int) -> float:
    profit, limits = programme(EXACT_CUSTOMERS, seed)
    exact, dual = allocate(profit, limits), allocate(profit, limits, exact_customers=0)
    return 100 * (exact.profit - dual.profit) / exact.profit


def _require_kept(chosen: np.ndarray, limits: list[Limit]) -> None:
    broken = [limit.name for limit in limits if limit.used(chosen) > limit.bound + 1e-6]
    if broken:
        raise AssertionError(f"limits are broken: {', '.join(broken)}")
