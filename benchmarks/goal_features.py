"""Features of a million customers are built for less than pandas takes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from benchmarks.goals import Figure
from benchmarks.measuring import own_environment, run
from benchmarks.trainings import Trainings

SECONDS = 0.5  # of a million rows: two million a CPU-second
PANDAS = 0.75


def measure(trainings: Trainings) -> Iterator[Figure]:
    """CPU of a million rows, and over that of the same columns by pandas."""
    rounds = 3 if trainings.quick else 7
    command = [sys.executable, "-m", "benchmarks.evidence_feature_rows"]
    environment = own_environment(trainings.folder, OMP_NUM_THREADS="1")
    found = json.loads(run([*command, "--rounds", str(rounds), "--json"], environment).output)
    how = "1,000,000 real rows drawn with replacement, typed table to Arrow table, alternating"
    yield Figure("features of a million customers", SECONDS, "s CPU", tuple(found["seconds"]), how)
    yield Figure(
        "features over the same columns by pandas", PANDAS, "x", tuple(found["ratios"]), how
    )
