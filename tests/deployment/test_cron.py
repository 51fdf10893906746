"""The file for `/etc/cron.d`: its times are those that it tells, and its commands are understood."""

import json
import re
import subprocess
import sys

import pytest

from churn.batch import compact_inputs
from runner.command_line import build_parser

RECORDER = f"""#!{sys.executable}
import json, os, pathlib, sys
pathlib.Path("called.json").write_text(json.dumps([os.getcwd(), *sys.argv[1:]]))
"""


@pytest.fixture(scope="module")
def cron(root):
    """Variables, and the lines that are run: their five fields of time, user and command."""
    text = (root / "deployment" / "manifests" / "cron" / "churn-monitoring").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    variables = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    return variables, [line.split(maxsplit=6) for line in lines if line[0].isdigit()]


@pytest.fixture
def called(cron, tmp_path):
    """Runs a line as cron does, in a project whose Python only records how it was called."""
    variables, _ = cron
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(RECORDER)
    python.chmod(0o755)
    (tmp_path / ".churn").mkdir()

    def call(command: str) -> list[str]:
        environment = {**variables, "PROJECT": str(tmp_path), "PATH": "/usr/bin:/bin"}
        subprocess.run([variables["SHELL"], "-c", command], env=environment, check=True)
        where, *words = json.loads((tmp_path / "called.json").read_text())
        assert where == str(tmp_path)
        return words

    return call


def test_inputs_are_compacted_each_night_and_checked_each_monday_as_one_user(cron):
    _, (compaction, check) = cron

    assert compaction[:6] == ["30", "0", "*", "*", "*", "churn"]
    assert check[:6] == ["30", "6", "*", "*", "1", "churn"]


def test_the_commands_are_those_of_the_project(cron, called):
    variables, (compaction, check) = cron

    module, name, model = called(compaction[6])
    assert (module, name, model) == ("-m", compact_inputs.__name__, variables["MODEL"])
    assert "%" not in compaction[6] + check[6]  # cron would end the command there

    program, *words = called(check[6])
    options = build_parser().parse_args(words)
    assert (program, options.pipeline, options.json) == ("run.py", "monitoring", True)
