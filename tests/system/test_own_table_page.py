"""The page on another business's table: its commands, as they stand there, end in a served score."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.servers.process import free_port

pytestmark = pytest.mark.system

MINUTES = 10
STOP = "--set action=stop"


@pytest.fixture
def commands(root):
    """The page's commands from training on; the set-up is what runs this test."""
    page = (root / "docs" / "own-table.md").read_text(encoding="utf-8")
    _, *found = re.findall(r"```bash\n(.*?)\n```", page, re.DOTALL)
    return found


def test_the_pages_commands_end_in_a_served_score(commands, root, isolated_environment, tmp_path):
    port = free_port()
    environment = isolated_environment | {
        "CHURN_HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }

    def type_in(command):
        # The page's port may be taken on this machine, and the repository is left as it is.
        command = command.replace("127.0.0.1:8000", f"127.0.0.1:{port}")
        command = command.replace("output=.churn/", f"output={tmp_path}/")
        if "--pipeline deployment" in command:
            command += f" --set local.port={port}"
        return subprocess.run(
            ["bash", "-c", command],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60 * MINUTES,
        )

    *pipelines, ask, everybody = commands
    assert len(pipelines) == 3
    try:
        for command in pipelines:
            done = type_in(command)
            assert done.returncode == 0, done.stdout + done.stderr
        answer = json.loads(type_in(ask).stdout)
        scored = json.loads(type_in(f"{everybody} --json").stdout)
    finally:
        stopped = type_in(f"{pipelines[-1]} {STOP}")

    assert 0 < answer["probability"] < 1
    assert answer["model_version"] == "1"
    assert scored["metrics"]["accepted"] == scored["metrics"]["rows"] == 5000
    first = parquet.read_table(tmp_path / "scores-mlc" / "scores").slice(0, 1).to_pylist()[0]
    assert (first["customer_id"], first["probability"]) == ("C00001", answer["probability"])
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
