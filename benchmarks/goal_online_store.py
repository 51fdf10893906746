"""One customer is read from the online store for a fraction of a millisecond."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from benchmarks.goals import Figure
from benchmarks.measuring import own_environment, run
from benchmarks.trainings import Trainings

MILLISECONDS = 0.2


def measure(trainings: Trainings) -> Iterator[Figure]:
    """CPU of one read from each of our stores."""
    rounds = "3" if trainings.quick else "5"
    command = [sys.executable, "-m", "benchmarks.evidence_online_store", "--reads-only", "--json"]
    environment = own_environment(trainings.folder, OMP_NUM_THREADS="1")
    costs = json.loads(run([*command, "--rounds", rounds], environment).output)
    for name, values in costs.items():
        if not name.startswith("Feast"):
            yield Figure(
                f"one customer's fields, {name}", MILLISECONDS, "ms CPU",
                tuple(value / 1000 for value in values), "2,000 customers, one after the other",
            )  # fmt: skip
