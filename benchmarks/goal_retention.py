"""From scores to call list and slides in a minute of one core."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.goals import Figure
from benchmarks.measuring import own_environment, run
from benchmarks.trainings import Trainings

SECONDS = 60.0


def measure(trainings: Trainings) -> Iterator[Figure]:
    """CPU of the whole `retention` command on the shipped table."""
    state = trainings.trained_state()
    environment = own_environment(state)

    def command(pipeline: str) -> list[str]:
        place = f"output.folder={state / 'output'}"
        return [sys.executable, "run.py", "--pipeline", pipeline, "--json", "--set", place]

    run(command("promotion"), environment)
    seconds = tuple(run(command("retention"), environment).cpu for _ in range(trainings.runs))
    how = (
        "user and system time of `run.py --pipeline retention` and its children, on 7,043 customers"
    )
    yield Figure("`retention` of 7,043 customers", SECONDS, "s CPU", seconds, how)
