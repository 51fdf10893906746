"""Measures the performance goals and prints one table; exits 1 where one is missed.

python -m benchmarks.run [--quick] [--runs N] [--clone] [--deep] [--peers] [--stacks]
                         [--alarms] [--targeting] [--policies] [--only NAME]
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence

from benchmarks import (
    goal_alarms,
    goal_allocation,
    goal_batch,
    goal_clone,
    goal_command_line,
    goal_cost,
    goal_deep,
    goal_drift,
    goal_experiments,
    goal_features,
    goal_generator,
    goal_online_store,
    goal_orchestration,
    goal_peers,
    goal_policies,
    goal_quick,
    goal_reasons,
    goal_rerun,
    goal_retention,
    goal_scale,
    goal_score,
    goal_service,
    goal_sources,
    goal_stacks,
    goal_targeting,
)
from benchmarks.goals import Figure, table
from benchmarks.measuring import BenchmarkError
from benchmarks.trainings import Trainings

Measure = Callable[[Trainings], Iterator[Figure]]
GOALS: dict[str, Measure] = {
    "command_line": goal_command_line.measure,
    "cost": goal_cost.measure,
    "online_store": goal_online_store.measure,
    "orchestration": goal_orchestration.measure,
    "rerun": goal_rerun.measure,
    "quick": goal_quick.measure,
    "scale": goal_scale.measure,
    "reasons": goal_reasons.measure,
    "features": goal_features.measure,
    "score": goal_score.measure,
    "drift": goal_drift.measure,
    "generator": goal_generator.measure,
    "allocation": goal_allocation.measure,
    "experiments": goal_experiments.measure,
    "retention": goal_retention.measure,
    "batch": goal_batch.measure,
    "service": goal_service.measure,
    "sources": goal_sources.measure,
    "clone": goal_clone.measure,
    "deep": goal_deep.measure,
    "peers": goal_peers.measure,
    "stacks": goal_stacks.measure,
    "alarms": goal_alarms.measure,
    "targeting": goal_targeting.measure,
    "policies": goal_policies.measure,
}
# Minutes to hours, or a download: only when asked for.
LONG = ("clone", "deep", "peers", "stacks", "alarms", "targeting", "policies")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what was asked for and returns the exit code."""
    options = parser().parse_args(arguments)
    names = chosen(options)
    trainings = Trainings(runs=options.runs or (1 if options.quick else 3), quick=options.quick)
    figures: list[Figure] = []
    missing: list[str] = []
    try:
        for name in names:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            try:
                figures.extend(GOALS[name](trainings))
            except BenchmarkError as error:  # the others took minutes, and stand
                missing.append(f"No figure for {name}: {error}")
    finally:
        shutil.rmtree(trainings.folder, ignore_errors=True)
    print(_machine(), table(figures), *missing, sep="\n\n")
    if options.quick:
        print("\n--quick: goals about the default run are not judged.")
    met = all(figure.met for figure in figures if figure.binding)
    return 0 if met and not missing else 1


def chosen(options: argparse.Namespace) -> list[str]:
    """Names of the goals that the command line asks for."""
    return options.only or [name for name in GOALS if name not in LONG or getattr(options, name)]


def parser() -> argparse.ArgumentParser:
    """What may be asked for."""
    made = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    made.add_argument("--quick", action="store_true", help="one run each, of profile=quick")
    made.add_argument("--runs", type=int, help="training runs a figure is the median of (3)")
    made.add_argument("--clone", action="store_true", help="also clone, install and train anew")
    made.add_argument("--deep", action="store_true", help="also train with profile=deep")
    made.add_argument(
        "--peers", action="store_true", help="also other model servers (installs one)"
    )
    made.add_argument(
        "--stacks", action="store_true", help="also stacks (starts a cloud's servers)"
    )
    made.add_argument(
        "--alarms", action="store_true", help="also 1,000 years of checks without drift (hours)"
    )
    made.add_argument(
        "--targeting",
        action="store_true",
        help="also offers by value against risk (downloads a table)",
    )
    made.add_argument(
        "--policies", action="store_true", help="also 50 years of retraining policies (minutes)"
    )
    made.add_argument("--only", action="append", choices=GOALS, help="one goal; repeatable")
    return made


def _machine() -> str:
    cores = os.cpu_count()
    system = f"{platform.system()} {platform.machine()}"
    return f"{cores} cores, {system}, Python {platform.python_version()}. Figures are medians."


if __name__ == "__main__":
    sys.exit(main())
