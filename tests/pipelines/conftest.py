"""Training runs from the command line, in a ZenML configuration and a folder of their own.

A run costs a quarter of a minute, so each is made once and checked by many tests. Later runs
require earlier ones: what a run finds there is part of the test.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PATIENCE = 300  # seconds; a run takes a tenth of it where the machine is not busy


@dataclass(frozen=True)
class Run:
    """A finished run of `run.py`.

    Attributes:
        code: The exit code.
        result: The JSON object on stdout.
        stdout: All of stdout.
        stderr: All of stderr.
        output: The folder it kept its files in.
    """

    code: int
    result: dict[str, Any]
    stdout: str
    stderr: str
    output: Path


@dataclass(frozen=True)
class CommandLine:
    """Starts `run.py` in one environment, from an empty folder."""

    root: Path
    environment: dict[str, str]
    typed_in: Path

    def command(self, output: Path, *arguments: str, pipeline: str = "training") -> list[str]:
        """The arguments of the process."""
        options = ["--pipeline", pipeline, "--json", "--set", "profile=demo"]
        place = ["--set", f"output.folder={output}"]
        return [sys.executable, str(self.root / "run.py"), *options, *place, *arguments]

    def train(self, output: Path, *arguments: str) -> Run:
        """Runs a demonstration's training to its end."""
        return self.run("training", output, *arguments)

    def run(self, pipeline: str, output: Path, *arguments: str) -> Run:
        """Runs a pipeline to its end."""
        completed = subprocess.run(
            self.command(output, *arguments, pipeline=pipeline),
            cwd=self.typed_in,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        return _run(completed.returncode, completed.stdout, completed.stderr, output)

    def interrupt(self, output: Path, *arguments: str, after: str, scratch: Path) -> Run:
        """Presses Ctrl-C when the step after the one that a line of stderr names is at work."""
        started = subprocess.Popen(
            self.command(output, *arguments),
            cwd=self.typed_in,
            env=self.environment | {"TMPDIR": str(scratch)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            said = ""
            for line in started.stderr:
                said += line
                if after in line:
                    break
            time.sleep(1)
            assert started.poll() is None, said
            started.send_signal(signal.SIGINT)
            stdout, rest = started.communicate(timeout=PATIENCE)
        finally:
            started.kill()
        return _run(started.returncode, stdout, said + rest, output)

    def query(self, script: str, *arguments: str, knows_the_project: bool) -> Any:
        """What a script beside this file, in the same environment, writes as JSON to a file."""
        answer = self.typed_in.parent / f"answer-{time.monotonic_ns()}.json"
        path = {"PYTHONPATH": str(self.root)} if knows_the_project else {}
        completed = subprocess.run(
            [sys.executable, str(HERE / script), str(answer), *arguments],
            cwd=self.typed_in,
            env=self.environment | path,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert completed.returncode == 0, completed.stderr
        return json.loads(answer.read_text(encoding="utf-8"))


def _run(code: int, stdout: str, stderr: str, output: Path) -> Run:
    try:
        result = json.loads(stdout)
    except ValueError:
        pytest.fail(f"stdout is not one JSON object:\n{stdout}\nstderr:\n{stderr}")
    return Run(code, result, stdout, stderr, output)


@pytest.fixture(scope="session")
def command_line(
    root: Path, isolated_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> CommandLine:
    """The command line with its own ZenML configuration."""
    return CommandLine(root, isolated_environment, tmp_path_factory.mktemp("typed") / "here")


@pytest.fixture(scope="session")
def trained(command_line: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The first run: the shipped table on the default stack."""
    command_line.typed_in.mkdir()
    run = command_line.train(tmp_path_factory.mktemp("trained"))
    assert run.code == 0, run.stderr  # all else would only follow from it
    return run


@pytest.fixture(scope="session")
def zenml_run(command_line: CommandLine, trained: Run) -> dict[str, Any]:
    """What ZenML keeps after the first run."""
    return command_line.query(
        "query_zenml_run.py", trained.result["run_id"], knows_the_project=True
    )


@pytest.fixture(scope="session")
def tracked(
    command_line: CommandLine, zenml_run: dict[str, Any], trained: Run, root: Path
) -> dict[str, Any]:
    """What MLflow keeps after the first run, seen from where this project is not installed."""
    table = root / "data" / "raw" / "telco.csv"
    return command_line.query(
        "query_mlflow.py", str(trained.output), str(table), knows_the_project=False
    )


@pytest.fixture(scope="session")
def original(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same customers as IBM's own file writes them: other ids, blanks, Windows' line ends."""
    header, *rows = (root / "data" / "raw" / "telco.csv").read_text(encoding="utf-8").splitlines()
    renamed = [f"{n:04d}-IBMID,{row.partition(',')[2]}" for n, row in enumerate(rows)]
    assert sum(row.endswith(", ,No") for row in renamed) == 11
    path = tmp_path_factory.mktemp("original") / "WA_Fn-UseC_-Telco-Customer-Churn.csv"
    path.write_bytes("\r\n".join([header, *renamed, ""]).encode("utf-8-sig"))
    return path


@pytest.fixture(scope="session")
def untracked(
    command_line: CommandLine,
    tracked: dict[str, Any],
    original: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """The second run: the same customers from a file, on the stack without a tracker."""
    output = tmp_path_factory.mktemp("untracked")
    return command_line.train(output, "--stack", "local", "--set", f"data.source={original}")


@pytest.fixture(scope="session")
def again(command_line: CommandLine, trained: Run, untracked: Run) -> Run:
    """The first run once more, after another was registered."""
    return command_line.train(trained.output)


@pytest.fixture
def tracked_runs() -> Callable[[Run], int]:
    """Counts the MLflow runs in a run's folder."""

    def count(run: Run) -> int:
        with sqlite3.connect(run.output / "mlflow.db") as database:
            return int(database.execute("SELECT COUNT(*) FROM runs").fetchone()[0])

    return count


@pytest.fixture(scope="session")
def state(command_line: CommandLine) -> Callable[[], dict[str, Any]]:
    """Asks ZenML which runs and versions there are now."""
    return lambda: command_line.query("query_zenml_state.py", knows_the_project=False)
