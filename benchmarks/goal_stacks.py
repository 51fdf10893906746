"""What a stack costs: applying it when nothing changes, and each step that runs on it.

`cloud` is measured on loopback: its servers are started here by what the tests start them with
(tests/servers), so it needs Debian's MariaDB and PostgreSQL, and no figure is there without them.
"""

from __future__ import annotations

import json
import os
import secrets
import statistics
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from benchmarks.goals import Figure
from benchmarks.measuring import BenchmarkError, own_environment, run
from benchmarks.trainings import Trainings

APPLY_LIMIT = 3.0
STEP_LIMITS = {"local": 0.15, "cloud": 0.6}

_HOW = "ten steps of nothing: median seconds between the bodies of two, uncached"


def measure(trainings: Trainings) -> Iterator[Figure]:
    """Seconds of an apply that changes nothing, after imports, and of one more step."""
    repeats = 1 if trainings.quick else 3
    yield from _on("local", own_environment(trainings.folder), repeats)
    with ExitStack() as stack:
        yield from _on("cloud", _cloud(stack, trainings.folder), repeats)


def _on(name: str, environment: Mapping[str, str], repeats: int) -> Iterator[Figure]:
    folder = environment["HOME"]
    answers = []
    for _ in range(repeats):
        command = [sys.executable, "-m", "benchmarks.ten_steps", name, folder]
        answers.append(json.loads(run(command, environment).output.strip().splitlines()[-1]))
        if answers[-1]["changes"]:
            raise BenchmarkError(f"applying '{name}' twice changed something the second time")
    where = " on loopback" if name == "cloud" else ""
    applied = tuple(one["apply"] for one in answers)
    how = "apply_stack a second time in a process"
    yield Figure(f"stack apply {name}, nothing to change", APPLY_LIMIT, "s", applied, how)
    steps = tuple(statistics.median(one["steps"]) for one in answers)
    yield Figure(f"a step's overhead on {name}{where}", STEP_LIMITS[name], "s", steps, _HOW)


def _cloud(stack: ExitStack, folder: Path) -> dict[str, str]:
    """Starts what the stack `cloud` lives on, and says how a client reaches it."""
    from tests.servers import cloud_servers, databases
    from tests.servers.process import missing

    if reason := missing("PostgreSQL", "MariaDB"):
        raise BenchmarkError(reason)
    postgres = stack.enter_context(databases.postgres())
    bucket = stack.enter_context(cloud_servers.bucket())
    zenml = stack.enter_context(
        cloud_servers.zenml_server(stack.enter_context(databases.mariadb()))
    )
    # No step here tracks anything: the stack has a tracker, and nobody asks it.
    environment = own_environment(
        folder,
        **cloud_servers.cloud_environment(zenml, bucket, "http://127.0.0.1:9", postgres.url()),
    )
    cloud_servers.make_secret(environment, mlflow_password=secrets.token_hex(4))
    return environment | {"PATH": os.environ["PATH"]}
