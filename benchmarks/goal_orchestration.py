"""ZenML's own work stays a small part of a run."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.goals import Figure
from benchmarks.trainings import Trainings

LIMIT = 20.0


def measure(trainings: Trainings) -> Iterator[Figure]:
    """The wall of an uncached run minus the domain's calls, as a share of that wall, in percent.

    The domain is called by the steps and, to draw what the dashboard shows, by the materializers.
    """
    shares = tuple(
        100 * (training.seconds - training.domain - training.drawing) / training.seconds
        for training in trainings.fresh()
    )
    how = f"(run's wall - domain_seconds - drawing_seconds) / wall, uncached, {trainings.taken_on}"
    # With less to compute, the same orchestration weighs more: the goal is about the default run.
    yield Figure("ZenML's share of a run", LIMIT, "%", shares, how, binding=not trainings.quick)
