"""`profile=quick` is cheap enough to stand in tests."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.goals import Figure
from benchmarks.trainings import Trainings

LIMIT = 60.0


def measure(trainings: Trainings) -> Iterator[Figure]:
    """CPU seconds of the whole process, imports included."""
    values = tuple(training.cost.cpu for training in trainings.fresh("quick"))
    how = "wait4 of the whole process, imports included, empty state, profile=quick"
    yield Figure("CPU of a quick training run", LIMIT, "s CPU", values, how)
