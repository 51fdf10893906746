"""What five retraining policies cost over fifty simulated years, beside the best that hindsight allows.

    python -m benchmarks.evidence_policies [--years 50] [--seed 11] [--others 4] [--picture FILE]

Prints Markdown tables. The years come in pairs: a champion trained in the month before, a drift that
begins in some month of the first year and stays (benchmarks/retraining_world.py). Outcomes come a
month late: at the end of a month a retraining learns from the month before it, and serves from the
next. A policy sees drift checks and what outcomes say of the champion, never the state; the oracle knows
all months in advance and takes the cheapest moments by dynamic programming. What is lost is counted
against a model trained on the month itself. Prices are assumptions; other prices are in the tables.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.retraining_world import MONTHS, World, build_world, period
from churn.monitoring.alarms import AlarmPolicy
from churn.monitoring.policy import (
    AlarmRule,
    CheckedWindow,
    RetrainingEvidence,
    RetrainingPolicy,
    decide_retraining,
)
from churn.monitoring.staleness import CostRule, StaleMonth

PRICE, MONITORING = 75_000.0, 100.0
BEHAVIOUR, PASSING = 1 / 4, 0.0
MOST_TIMES_ORACLE = 1.2
RULE = CostRule(retraining=PRICE)
NOTHING = RetrainingPolicy(alarm=None)
POLICIES: dict[str, RetrainingPolicy] = {
    "never": NOTHING,
    "monthly": NOTHING.model_copy(update={"every_days": 28, "per_year": 13}),
    "drift only": RetrainingPolicy(alarm=AlarmRule()),
    "cost policy": NOTHING.model_copy(update={"cost": RULE}),
}
WATCHES = ("drift only", "cost policy")
ALARMS = AlarmPolicy(checks_per_year=12)


@dataclass(frozen=True)
class Bill:
    """What a policy cost: money lost by staleness, retrainings, months watched."""

    lost: float
    retrainings: int
    watched: int = 0

    def __add__(self, other: Bill) -> Bill:
        """Both together."""
        return Bill(
            self.lost + other.lost,
            self.retrainings + other.retrainings,
            self.watched + other.watched,
        )

    def total(self, price: float = PRICE, monitoring: float = MONITORING) -> float:
        """In money."""
        return self.lost + price * self.retrainings + monitoring * self.watched


@dataclass
class Business:
    """One run of months under one policy; keeps what the policy may see."""

    world: World
    states: list[int]
    generator: np.random.Generator

    def run(self, policy: RetrainingPolicy, *, watched: bool) -> Bill:
        """Lives through all months."""
        champion, since, lost = self.states[0], _end(-1), 0.0
        started: list[datetime] = []
        windows: list[CheckedWindow] = []
        stale: list[StaleMonth] = []
        served: list[int] = []
        for month, state in enumerate(self.states):
            lost += self.world.lost[champion, state]
            served.append(champion)
            windows.append(self._check(month, champion))
            if month:
                stale.append(self._outcomes(month - 1, served[month - 1]))
            evidence = RetrainingEvidence(
                champion_trained_at=since,
                windows=windows[-3:],
                started=started,
                stale=[each for each in stale if each.until > since],
            )
            if decide_retraining(evidence, policy, _end(month)).verdict == "retrain":
                champion, since = self.states[max(0, month - 1)], _end(month)
                started.append(since)
        return Bill(lost, len(started), len(self.states) if watched else 0)

    def _check(self, month: int, champion: int) -> CheckedWindow:
        p_value = self.generator.choice(self.world.p_values[champion, self.states[month]])
        return CheckedWindow(
            window=str(month),
            checked_at=_end(month),
            raises_alarm=bool(p_value <= ALARMS.alarm_level),
        )

    def _outcomes(self, month: int, champion: int) -> StaleMonth:
        """What the outcomes of a month say."""
        state = self.states[month]
        error = self.world.error[champion, state]
        lost = self.generator.normal(self.world.lost[champion, state], error)
        return StaleMonth(until=_end(month), lost=lost, error=error, basis="realised")


def oracle(world: World, states: list[int], price: float) -> Bill:
    """The cheapest moments to retrain, all months known: dynamic programming over the last retraining."""
    months = len(states)
    ahead: list[Bill] = [Bill(0.0, 0)] * (months + 1)
    for serves in range(months - 1, -1, -1):  # a model serves from this month on
        model = states[max(0, serves - 2)]
        losses = np.cumsum(world.lost[model, states[serves:]])
        options = [Bill(float(losses[-1]), 0)]
        options += [
            ahead[until] + Bill(float(losses[until - serves - 1]), 1)
            for until in range(serves + 1, months)
        ]
        ahead[serves] = min(options, key=lambda each: each.total(price))
    return ahead[0]


def simulate(
    world: World,
    years: int,
    seed: int,
    *,
    behaviour: float = BEHAVIOUR,
    passing: float = PASSING,
    price: float = PRICE,
) -> dict[str, Bill]:
    """Every policy on the same months."""
    generator = np.random.default_rng(seed)
    bills = dict.fromkeys((*POLICIES, "oracle"), Bill(0.0, 0))
    for number in range(12 * years // MONTHS):
        states = period(generator, behaviour, passing)
        for name, policy in POLICIES.items():
            rule = policy.cost and policy.cost.model_copy(update={"retraining": price})
            business = Business(world, states, np.random.default_rng([seed, number]))
            bills[name] += business.run(
                policy.model_copy(update={"cost": rule}), watched=name in WATCHES
            )
        bills["oracle"] += oracle(world, states, price)
    return bills


def policy_table(bills: dict[str, Bill], years: int) -> str:
    """Total cost of each policy, as Markdown."""
    best = bills["oracle"].total()
    lines = [
        f"| policy | lost by staleness | retrainings in {years} years | monitoring | total | times the oracle's |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {bill.lost:,.0f} | {bill.retrainings} | {MONITORING * bill.watched:,.0f} | "
        f"{bill.total():,.0f} | {bill.total() / best:.2f} |"
        for name, bill in bills.items()
    ]
    return "\n".join(lines)


def goals(bills: dict[str, Bill]) -> str:
    """Whether the goals are met, in words."""
    cost, drift = bills["cost policy"], bills["drift only"]
    times = cost.total() / bills["oracle"].total()
    return (
        f"Cost policy at most {MOST_TIMES_ORACLE} x the oracle's total: {times:.3f}, "
        f"{_met(times <= MOST_TIMES_ORACLE)}. No more retrainings than drift-only: "
        f"{cost.retrainings} against {drift.retrainings}, {_met(cost.retrainings <= drift.retrainings)}."
    )


def other_assumptions(world: World, years: int, seed: int, others: int) -> str:
    """Times the oracle's total under other assumptions, as Markdown."""
    rows: list[tuple[str, dict[str, Bill], float, float]] = [
        (f"other drifts ({k})", simulate(world, years, seed + 100 * k), PRICE, MONITORING)
        for k in range(1, others + 1)
    ]
    rows += [
        (f"a retraining costs {p:,}", simulate(world, years, seed, price=p), p, MONITORING)
        for p in (25_000, 50_000, 150_000)
    ]
    rows += [
        (
            f"50% of the drifts change behaviour, {s:.0%} of the jumps pass after 3 months",
            simulate(world, years, seed, behaviour=0.5, passing=s),
            PRICE,
            MONITORING,
        )
        for s in (0.5, 1.0)
    ]
    rows += [
        (
            f"{s:.0%} of the drifts change behaviour",
            simulate(world, years, seed, behaviour=s),
            PRICE,
            MONITORING,
        )
        for s in (0.1, 0.5)
    ]
    base = simulate(world, years, seed)
    rows += [(f"monitoring costs {m:,} a month", base, PRICE, m) for m in (0, 1_000)]
    names = [*POLICIES, "oracle"]
    lines = [
        f"| times the oracle's total | {' | '.join(POLICIES)} | retrainings: {', '.join(names)} |",
        "|---|" + "---|" * (len(POLICIES) + 1),
    ]
    for what, bills, price, monitoring in rows:
        best = bills["oracle"].total(price, monitoring)
        cells = [f"{bills[name].total(price, monitoring) / best:.2f}" for name in POLICIES]
        counts = ", ".join(str(bills[name].retrainings) for name in names)
        lines.append(f"| {what} | {' | '.join(cells)} | {counts} |")
    return "\n".join(lines)


def draw(bills: dict[str, Bill], file: Path) -> None:
    """Draws the parts of each policy's total."""
    from matplotlib import pyplot as plt

    names = [name for name in bills if name != "monthly"]  # which is too long to be drawn
    figure, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
    left = np.zeros(len(names))
    for part, colour, widths in (
        ("lost by a stale model", "#457b9d", [bills[name].lost for name in names]),
        ("retrainings", "#e9a23b", [PRICE * bills[name].retrainings for name in names]),
        ("monitoring", "#7a8794", [MONITORING * bills[name].watched for name in names]),
    ):
        axes.barh(names, np.array(widths) / 1e6, left=left, label=part, color=colour)
        left += np.array(widths) / 1e6
    for place, (name, end) in enumerate(zip(names, left, strict=True)):
        count = bills[name].retrainings
        axes.text(
            end, place, f"  {end:.2f} M, {count} retraining{'' if count == 1 else 's'}", va="center"
        )
    axes.invert_yaxis()
    axes.set_xlim(0, left.max() * 1.3)
    axes.set_xlabel("cost of 50 simulated years, millions")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    times = bills["cost policy"].total() / bills["oracle"].total()
    axes.set_title(
        f"The cost policy costs {times:.2f} times what hindsight would; drift alarms retrain for what "
        "does no harm\nand miss what does",
        loc="left", fontsize=10,
    )  # fmt: skip
    figure.savefig(file, dpi=160)


def _met(goal: bool) -> str:
    return "met" if goal else "MISSED"


def _end(month: int) -> datetime:
    """The end of a month, counted from 0."""
    return datetime(2000 + (month + 1) // 12, (month + 1) % 12 + 1, 1, tzinfo=UTC)


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--years", type=int, default=50)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--others", type=int, default=4, help="other drifts, for the spread")
    parser.add_argument("--picture", type=Path, help="where the chart goes, as PNG")
    options = parser.parse_args()
    world = build_world(options.seed)
    bills = simulate(world, options.years, options.seed)
    print(f"{policy_table(bills, options.years)}\n\n{goals(bills)}\n", flush=True)
    print(other_assumptions(world, options.years, options.seed, options.others))
    if options.picture:
        draw(bills, options.picture)


if __name__ == "__main__":
    main()
