"""How often the drift check and its alarm are wrong without drift, and how soon they see one.

    python -m benchmarks.evidence_drift [--windows 200] [--years 6] [--seed 11] [--kept FILE ...]

Prints two Markdown tables. With drift, every reference has five windows. Without, every year has a
reference of its own and 52 windows, drawn afresh from a population of synthetic customers: a few
years here, or the many that `benchmarks.quiet_years` has written to files. Intervals take a
reference, and all that was compared with it, as one. The rules of others judge the same windows.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, t

from benchmarks.drift_population import Populations
from benchmarks.peer_drift_rules import RULES, peer_verdicts
from benchmarks.quiet_years import POPULATION, SIZES, QuietYear, p_value, quiet_year, read_years
from churn.monitoring.alarms import AlarmPolicy

POLICY = AlarmPolicy()
MOST_FALSE = 0.065
"""What the one-sided upper limit of a false-alarm rate may be."""
SHIFTS = {
    "all prices +5%": ("price_rise", 500, 0.95),
    "month-to-month 55 to 65%": ("contract_mix", 500, 0.75),
    "20% of DSL to fibre": ("fibre_rollout", 2000, 0.90),
    "charges of 20% of rows permuted": ("broken_join", 500, 0.55),
}
_WINDOWS_A_REFERENCE = 5
_FEWEST_YEARS = 100  # with fewer, even a year without an alarm has a limit near 3%


@dataclass
class Found:
    """P-values [references, windows], and what the rules of others said of some of the windows."""

    p_values: list[list[float]] = field(default_factory=list)
    peers: list[dict[str, bool]] = field(default_factory=list)

    def checked(self) -> NDArray[np.float64]:
        """The p-values as an array."""
        return np.array(self.p_values)


@dataclass(frozen=True)
class FalseAlarms:
    """What checks without drift came to, with one-sided 95% upper limits.

    Attributes:
        watch: share of checks that said `watch`.
        most_watch: its upper limit.
        alarm: share of years with an alarm.
        most_alarm: its upper limit.
        naive: share of years in which a test at 5% every week would have fired.
    """

    watch: float
    most_watch: float
    alarm: float
    most_alarm: float
    naive: float


def moved(
    populations: Populations, generator: np.random.Generator, shift: str, windows: int
) -> Found:
    """Checks so many windows of a shift, five to a reference."""
    drift, rows, _ = SHIFTS[shift]
    found = Found()
    for _ in range(-(-windows // _WINDOWS_A_REFERENCE)):
        reference, known = populations.reference(generator)
        drawn = [populations.draw(rows, generator, drift) for _ in range(_WINDOWS_A_REFERENCE)]
        found.p_values.append([p_value(reference, window) for window in drawn])
        found.peers += [peer_verdicts(reference, known, window) for window in drawn]
    return found


def quiet(years: Sequence[QuietYear]) -> dict[int, Found]:
    """The years by the size of their windows."""
    return {
        rows: Found(
            [each.p_values for each in years if each.rows == rows],
            [each.peers for each in years if each.rows == rows],
        )
        for rows in sorted({each.rows for each in years})
    }


def false_alarms(found: Found) -> FalseAlarms:
    """What the years without drift came to."""
    p_values = found.checked()
    watch = (p_values <= POLICY.watch_level).mean(axis=1)
    alarm = np.asarray((p_values <= POLICY.alarm_level).any(axis=1))
    return FalseAlarms(
        watch=float(watch.mean()),
        most_watch=upper_limit_of_checks(watch),
        alarm=float(alarm.mean()),
        most_alarm=upper_limit_of_years(alarm),
        naive=float((p_values <= POLICY.watch_level).any(axis=1).mean()),
    )


def upper_limit_of_checks(share_by_reference: NDArray[np.float64]) -> float:
    """One-sided 95% upper limit of a share of checks; those of one reference are one observation."""
    count = len(share_by_reference)
    if count < 2:  # noqa: PLR2004 - a spread needs two
        return 1.0
    spread = float(share_by_reference.std(ddof=1)) / np.sqrt(count)
    return float(share_by_reference.mean() + t.ppf(0.95, count - 1) * spread)


def upper_limit_of_years(alarmed: NDArray[np.bool_]) -> float:
    """One-sided 95% upper limit of the share of years, exact (Clopper & Pearson 1934)."""
    found = binomtest(int(alarmed.sum()), len(alarmed), alternative="less")
    return float(found.proportion_ci(0.95, "exact").high)


def median_delay(p_values: NDArray[np.float64]) -> float:
    """Checks until the alarm, over the references; infinite where most have none."""
    alarms = p_values <= POLICY.alarm_level
    first = np.where(alarms.any(axis=1), alarms.argmax(axis=1) + 1.0, np.inf)
    return float(np.median(first))


def false_alarm_table(found: dict[int, Found]) -> str:
    """Without drift, as Markdown."""
    lines = [
        "| without drift, a window of | `watch`, a check | `alarm`, a year | weekly 5%, a year | "
        + " | ".join(RULES)
        + " | goal |",
        "|---|---|---|---|" + "---|" * len(RULES) + "---|",
    ]
    for rows, each in found.items():
        rates = false_alarms(each)
        lines.append(
            f"| {rows:,} rows, {len(each.p_values):,} years | {rates.watch:.2%} (≤ {rates.most_watch:.2%}) | "
            f"{rates.alarm:.1%} (≤ {rates.most_alarm:.1%}) | {rates.naive:.0%} | {_peers(each)} | "
            f"upper limits ≤ {MOST_FALSE:.1%}: {_judged(rates, len(each.p_values))} |"
        )
    return "\n".join(lines)


def power_table(found: dict[str, Found]) -> str:
    """With drift, as Markdown."""
    lines = [
        "| what moves | rows | `watch` | checks until `alarm`, median | "
        + " | ".join(RULES)
        + " | goal |",
        "|---|---|---|---|" + "---|" * len(RULES) + "---|",
    ]
    for name, each in found.items():
        _, rows, goal = SHIFTS[name]
        p_values = each.checked()
        watch = (p_values <= POLICY.watch_level).mean()
        delay = median_delay(p_values)
        delay_shown = f"{delay:g}" if np.isfinite(delay) else f"above {p_values.shape[1]}"
        lines.append(
            f"| {name} | {rows:,} | {watch:.1%} | {delay_shown} | {_peers(each)} | "
            f"≥ {goal:.0%}: {'met' if watch >= goal else 'MISSED'} |"
        )
    return "\n".join(lines)


def _judged(rates: FalseAlarms, years: int) -> str:
    if years < _FEWEST_YEARS:
        return "too few years to judge"
    return "met" if max(rates.most_watch, rates.most_alarm) <= MOST_FALSE else "MISSED"


def _peers(found: Found) -> str:
    return " | ".join(f"{np.mean([each[rule] for each in found.peers]):.0%}" for rule in RULES)


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--windows", type=int, default=200, help="with drift, a shift")
    parser.add_argument("--years", type=int, default=6, help="without drift")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--kept", type=Path, nargs="+", help="years by benchmarks.quiet_years")
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    populations = Populations(POPULATION, options.seed)
    shifts = {name: moved(populations, generator, name, options.windows) for name in SHIFTS}
    print(f"{power_table(shifts)}\n", flush=True)
    years = (
        read_years(*options.kept)
        if options.kept
        else [
            each
            for year in range(options.years)
            for each in quiet_year(populations, options.seed, year, SIZES)
        ]
    )
    print(false_alarm_table(quiet(years)))


if __name__ == "__main__":
    main()
