"""A score over HTTP costs a fraction of what model servers of general use take for theirs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator

from benchmarks.goals import Figure
from benchmarks.measuring import run
from benchmarks.trainings import Trainings

MLSERVER = 1 / 8
MLFLOW = 1 / 100


def measure(_trainings: Trainings) -> Iterator[Figure]:
    """CPU of our server's processes a request over that of each peer's."""
    command = [sys.executable, "-m", "benchmarks.evidence_peers", "--json", "--rounds", "3"]
    ratios = json.loads(run(command, os.environ | {"OMP_NUM_THREADS": "1"}).output)
    how = (
        "CPU a request of all the server's processes, alternating, 32 connections, one worker each"
    )
    yield Figure(
        "`POST /v1/score` over MLServer's LightGBM runtime", MLSERVER, "x",
        tuple(ratios["mlserver"]), f"{how}; its rows are encoded already",
    )  # fmt: skip
    yield Figure(
        "`POST /v1/score` over `mlflow models serve`", MLFLOW, "x",
        tuple(ratios["mlflow"]), f"{how}; the same blend, as a training run logs it",
    )  # fmt: skip
