"""How often the drift check and its alarm are wrong without drift, and how soon they see one.

    python -m benchmarks.evidence_drift [--quick] [--years 1000] [--windows 200] [--sizes 100 500 2000] [--seed 11]

Prints two Markdown tables. Without drift, every year has a reference of its own and 52 windows, all drawn
afresh from a population of synthetic customers; with drift, every reference has five windows.
Intervals take a reference, and all that was compared with it, as one. The rules of others judge
the same windows. `--quick` shows the sign in two minutes; the whole takes hours of one core.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, t

from benchmarks.drift_population import NO_DRIFT, Populations, Rows
from benchmarks.peer_drift_rules import RULES, peer_verdicts
from churn.monitoring.alarms import AlarmPolicy
from churn.monitoring.drift_check import check_drift
from churn.monitoring.drift_reference import DriftReference

CHECKS = 52
SIZES = (100, 500, 2000)
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
_PEER_WINDOWS_A_YEAR = 2


@dataclass
class Found:
    """P-values [references, windows], and what the rules of others said of some of the windows."""

    p_values: list[list[float]] = field(default_factory=list)
    peers: list[dict[str, bool]] = field(default_factory=list)

    def checked(self) -> NDArray[np.float64]:
        """The p-values as an array."""
        return np.array(self.p_values)


def simulate(
    populations: Populations,
    generator: np.random.Generator,
    *,
    rows: int,
    references: int,
    windows: int,
    drift: str = NO_DRIFT,
    peer_windows: int = _WINDOWS_A_REFERENCE,
) -> Found:
    """Checks so many windows against each of so many references."""
    found = Found()
    for _ in range(references):
        reference, known = populations.reference(generator)
        found.p_values.append([])
        for place in range(windows):
            window = populations.draw(rows, generator, drift)
            found.p_values[-1].append(_p_value(reference, window))
            if place < peer_windows:
                found.peers.append(peer_verdicts(reference, known, window))
    return found


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
        p_values = each.checked()
        watch = (p_values <= POLICY.watch_level).mean(axis=1)
        alarm = np.asarray((p_values <= POLICY.alarm_level).any(axis=1))
        naive = (p_values <= POLICY.watch_level).any(axis=1).mean()
        limits = upper_limit_of_checks(watch), upper_limit_of_years(alarm)
        met = max(limits) <= MOST_FALSE
        lines.append(
            f"| {rows:,} rows, {len(p_values):,} years | {watch.mean():.2%} (≤ {limits[0]:.2%}) | "
            f"{alarm.mean():.1%} (≤ {limits[1]:.1%}) | {naive:.0%} | {_peers(each)} | "
            f"upper limits ≤ {MOST_FALSE:.1%}: {'met' if met else 'MISSED'} |"
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


def _p_value(reference: DriftReference, window: Rows) -> float:
    result = check_drift(reference, window.columns, window.probability)
    return 1.0 if result.p_value is None else result.p_value


def _peers(found: Found) -> str:
    return " | ".join(f"{np.mean([each[rule] for each in found.peers]):.0%}" for rule in RULES)


def main() -> None:
    """Simulates and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="6 years, 20 windows a shift")
    parser.add_argument("--years", type=int, default=1000, help="without drift, a window size")
    parser.add_argument("--windows", type=int, default=200, help="with drift, a shift")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="of windows")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    years, windows = (6, 20) if options.quick else (options.years, options.windows)
    generator = np.random.default_rng(options.seed)
    populations = Populations(100_000 if options.quick else 500_000, options.seed)
    moved = {
        name: simulate(
            populations,
            generator,
            rows=rows,
            references=-(-windows // _WINDOWS_A_REFERENCE),
            windows=_WINDOWS_A_REFERENCE,
            drift=drift,
        )
        for name, (drift, rows, _) in SHIFTS.items()
    }
    print(f"{power_table(moved)}\n", flush=True)
    quiet = {
        rows: simulate(
            populations,
            generator,
            rows=rows,
            references=years,
            windows=CHECKS,
            peer_windows=_PEER_WINDOWS_A_YEAR,
        )
        for rows in options.sizes
    }
    print(false_alarm_table(quiet))


if __name__ == "__main__":
    main()
