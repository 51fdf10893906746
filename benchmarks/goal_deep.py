"""Training with tuning, the network, SHAP, Deepchecks and cards ends while somebody waits for it."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.goals import Figure
from benchmarks.trainings import Trainings

LIMIT = 15.0
_SECONDS = 60.0


def measure(trainings: Trainings) -> Iterator[Figure]:
    """Wall minutes of one run, imports included: it takes too long for a median of three."""
    values = tuple(run.cost.wall / _SECONDS for run in trainings.fresh("deep", runs=1))
    how = "wall of the whole process, imports included, empty state, profile=deep"
    yield Figure("deep training run", LIMIT, "min", values, how)
