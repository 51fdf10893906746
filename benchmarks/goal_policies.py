"""Fifty simulated years: what the cost policy costs beside the best that hindsight allows, and how often it retrains."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.evidence_policies import MOST_TIMES_ORACLE, simulate
from benchmarks.goals import Figure
from benchmarks.retraining_world import build_world
from benchmarks.trainings import Trainings

_YEARS, _SEED = 50, 11


def measure(trainings: Trainings) -> Iterator[Figure]:
    """The total beside the oracle's, and the retrainings beside those of drift alarms alone."""
    del trainings  # it fits small models of its own
    bills = simulate(build_world(_SEED), _YEARS, _SEED)
    cost, drift, oracle = (bills[name] for name in ("cost policy", "drift only", "oracle"))
    how = (
        f"{_YEARS} simulated years; in all {cost.total():,.0f}, the oracle's {oracle.total():,.0f}"
    )
    times = cost.total() / oracle.total()
    yield Figure("total of the cost policy", MOST_TIMES_ORACLE, "x the oracle's", (times,), how)
    yield Figure(
        "retrainings of the cost policy",
        drift.retrainings,
        "retrainings (those of drift alarms alone)",
        (cost.retrainings,),
        how,
    )
