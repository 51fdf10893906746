"""The default training run, its repeated cross-validation included, fits a small machine."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.goals import Figure
from benchmarks.trainings import Trainings

CPU_LIMIT = 180.0
MEMORY_LIMIT = 1.5
GIGABYTE = 1e9


def measure(trainings: Trainings) -> Iterator[Figure]:
    """CPU seconds and peak resident memory of the whole process, imports included."""
    costs = [training.cost for training in trainings.fresh()]
    how = f"wait4 of the whole process, imports included, empty state, {trainings.taken_on}"
    binding = not trainings.quick
    seconds = tuple(cost.cpu for cost in costs)
    yield Figure("CPU of a training run", CPU_LIMIT, "s CPU", seconds, how, binding)
    memory = tuple(cost.peak / GIGABYTE for cost in costs)
    yield Figure("peak memory of a training run", MEMORY_LIMIT, "GB", memory, how, binding)
