"""A raw customer becomes a probability for a fraction of what the usual interfaces take."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from benchmarks.goals import Figure
from benchmarks.measuring import own_environment, run
from benchmarks.trainings import Trainings

BOOSTER = 0.5
PIPELINE = 0.01


def measure(trainings: Trainings) -> Iterator[Figure]:
    """CPU of `score_one` over that of each peer, which scores the same customers alike."""
    rounds = 3 if trainings.quick else 7
    command = [sys.executable, "-m", "benchmarks.evidence_one_customer", "--rounds", str(rounds)]
    environment = own_environment(trainings.folder, OMP_NUM_THREADS="1")
    ratios = json.loads(run(command, environment).output)
    how = "CPU a customer, alternating, one process, one thread"
    yield Figure(
        "one customer's score over encoder and `Booster.predict`",
        BOOSTER, "x", tuple(ratios["booster"]), f"{how}, 2,000 customers, the trees",
    )  # fmt: skip
    yield Figure(
        "one customer's score over a scikit-learn pipeline",
        PIPELINE, "x", tuple(ratios["pipeline"]), f"{how}, one-row DataFrames, the blend",
    )  # fmt: skip
