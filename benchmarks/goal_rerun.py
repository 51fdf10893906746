"""Running training again without a change costs orchestration alone."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.goals import Figure
from benchmarks.trainings import Trainings

LIMIT = 25.0


def measure(trainings: Trainings) -> Iterator[Figure]:
    """Wall seconds of a fully cached rerun, after imports."""
    values = tuple(training.seconds for training in trainings.cached())
    how = f"the run's wall after imports, every fitted step from the cache, {trainings.taken_on}"
    yield Figure("fully cached rerun", LIMIT, "s", values, how)
