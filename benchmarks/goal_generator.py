"""A million customers are generated in a minute of CPU and in bounded memory."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.goals import Figure
from benchmarks.measuring import ROOT, Cost, own_environment, run
from benchmarks.trainings import Trainings

ROWS = 1_000_000
CPU_LIMIT = 60.0
MEMORY_LIMIT = 1.0
CONTRACTS = ("telco", "mlc_churn")


def measure(trainings: Trainings) -> Iterator[Figure]:
    """CPU seconds and peak memory of the command that writes a parquet file, with what it learns first."""
    for name in CONTRACTS:
        costs = [_cost(name) for _ in range(trainings.runs)]
        how = (
            f"wait4 of `python -m churn.data.generator {ROWS}`, {name}, parquet, outcomes and dates"
        )
        goal = f"{ROWS:,} generated customers, {name}"
        yield Figure(f"CPU of {goal}", CPU_LIMIT, "s CPU", tuple(c.cpu for c in costs), how)
        peaks = tuple(cost.peak / 1e9 for cost in costs)
        yield Figure(f"peak memory of {goal}", MEMORY_LIMIT, "GB", peaks, how)


def _cost(name: str) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        return run(
            [
                sys.executable, "-m", "churn.data.generator", str(ROWS),
                "--contract", ROOT / "data" / "contracts" / f"{name}.yaml",
                "--with-outcomes", "--weeks", "26", "--output", Path(folder) / "customers.parquet",
            ],
            own_environment(Path(folder), PATH=os.environ["PATH"]),
        )  # fmt: skip
