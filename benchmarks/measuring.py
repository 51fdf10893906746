"""Runs a command in a place of its own and says what it cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
# What would let a measured run see, or be told from, the user's own state.
_PERSONAL = (
    "ZENML_",
    "MLFLOW_",
    "CHURN_",
    "COVERAGE_",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",  # imports would be compiled anew in every measured process
    "MAKE",
    "VENV",
)


# A process starts with its parent's peak memory as its own (the kernel keeps it over exec), so a
# small one stands between whoever measures and what is measured. wait4 gives the child's own cost.
_LAUNCHER = """
import json, os, sys, time
began = time.perf_counter()
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
costs = {
    "wall": time.perf_counter() - began,
    "cpu": usage.ru_utime + usage.ru_stime,
    "peak": usage.ru_maxrss,
    "code": os.waitstatus_to_exitcode(status),
}
with open(sys.argv[1], "w") as file:
    json.dump(costs, file)
"""


class BenchmarkError(Exception):
    """A measured command failed, so there is no figure."""


@dataclass(frozen=True)
class Cost:
    """What one command cost.

    Attributes:
        wall: Seconds from start to end.
        cpu: User and system seconds of the process and of every child it waited for.
        peak: Largest resident memory of any one of those processes, in bytes.
        output: What it wrote to stdout.
    """

    wall: float
    cpu: float
    peak: int
    output: str


def own_environment(folder: Path, **more: str) -> dict[str, str]:
    """An environment whose home, ZenML configuration and caches lie in `folder`."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(_PERSONAL)}
    return kept | {
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / ".config"),
        "ZENML_CONFIG_PATH": str(folder / "zenml"),
        "ZENML_ANALYTICS_OPT_IN": "false",
        **more,
    }


def run(
    command: Sequence[str | Path], environment: Mapping[str, str], *, folder: Path = ROOT
) -> Cost:
    """Runs a command to its end.

    Raises:
        BenchmarkError: it did not exit with 0; the message carries its last lines.
    """
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as complaint,
        tempfile.NamedTemporaryFile("r") as report,
    ):
        subprocess.run(
            [sys.executable, "-S", "-c", _LAUNCHER, report.name, *map(str, command)],
            cwd=folder,
            env=dict(environment),
            stdout=output,
            stderr=complaint,
            check=False,
        )
        cost = json.loads(report.read() or "{}")
        if cost.get("code") != 0:
            last = "\n".join(_text(complaint).strip().splitlines()[-8:])
            shown = " ".join(str(part) for part in command)
            raise BenchmarkError(f"`{shown}` exited with {cost.get('code')}:\n{last}")
        unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): bytes there, kibibytes here
        return Cost(cost["wall"], cost["cpu"], cost["peak"] * unit, _text(output))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
