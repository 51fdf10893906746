"""The boosted trees at a hundred times the table."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from benchmarks.evidence_scale import GIGABYTES, ROWS, SECONDS
from benchmarks.goals import Figure
from benchmarks.measuring import own_environment, run
from benchmarks.trainings import Trainings

GIGABYTE = 1e9


def measure(trainings: Trainings) -> Iterator[Figure]:
    """CPU seconds of the fit, and peak memory of the process that generates the rows and fits."""
    environment = own_environment(trainings.folder)
    command = [sys.executable, "-m", "benchmarks.evidence_scale", "--json"]
    costs = [run(command, environment) for _ in range(trainings.runs)]
    seconds = tuple(json.loads(cost.output)["seconds"] for cost in costs)
    rows = f"gbm, {ROWS:,} generated rows, a process of its own"
    yield Figure("CPU of a fit at scale", SECONDS, "s CPU", seconds, f"the fit alone, {rows}")
    memory = tuple(cost.peak / GIGABYTE for cost in costs)
    how = f"wait4, the data included, {rows}"
    yield Figure("peak memory of a fit at scale", GIGABYTES, "GB", memory, how)
