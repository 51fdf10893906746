"""`run.py --help` and `--list` answer at once: nothing heavy is imported before it is needed."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.goals import Figure
from benchmarks.measuring import own_environment, run
from benchmarks.trainings import Trainings

LIMIT = 0.5


def measure(trainings: Trainings) -> Iterator[Figure]:
    """CPU seconds of each, interpreter start included; one run before, to write the bytecode."""
    environment = own_environment(trainings.folder)
    repeats = 3 if trainings.quick else 11
    for option in ("--help", "--list"):
        command = [sys.executable, "run.py", option]
        run(command, environment)
        values = tuple(run(command, environment).cpu for _ in range(repeats))
        how = "CPU of the process, after one warm-up"
        yield Figure(f"run.py {option}", LIMIT, "s CPU", values, how)
