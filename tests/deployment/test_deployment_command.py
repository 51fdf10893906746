"""Deployment from the command line: exit code, output, and what ZenML and the ledger store."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from churn.ledger.deployments import DeploymentLedger
from tests.servers.process import free_port

pytestmark = pytest.mark.slow

TIMEOUT = 300


class CommandLine:
    """Runs commands, with versions on a control plane of its own and their bundles in a store."""

    def __init__(self, root: Path, folder: Path, store: Path, environment: dict[str, str]) -> None:
        self.root, self.output, self.port = root, folder / "out", free_port()
        self.store = Path(shutil.copytree(store, self.output / "production" / "telco-churn"))
        kept = {n: v for n, v in environment.items() if not n.startswith("CHURN_")}
        self.environment = kept | {"ZENML_CONFIG_PATH": str(folder / "zenml"), "COLUMNS": "200"}

    def python(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.root,
            env=self.environment | {"PYTHONPATH": str(self.root)} | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )

    def deploy(self, *words: str, **more: str) -> tuple[int, dict, str]:
        own = [f"output.folder={self.output}", f"local.port={self.port}", *words]
        options = [part for each in own for part in ("--set", each)]
        ended = self.python(
            "run.py", "--pipeline", "deployment", "--stack", "local", "--json", *options, **more
        )
        return ended.returncode, json.loads(ended.stdout), ended.stderr

    def control_plane(self, *words: str) -> None:
        ended = self.python("tests/deployment/control_plane.py", *words)
        assert ended.returncode == 0, ended.stderr


@pytest.fixture(scope="module")
def command_line(root, published_store, isolated_environment, tmp_path_factory):
    made = CommandLine(
        root, tmp_path_factory.mktemp("command_line"), published_store, isolated_environment
    )
    made.control_plane("promote")
    yield made
    from deployment.local_process import find_process

    running = find_process(made.output / "deployment" / "local")
    if running is not None:
        running.stop()


@pytest.fixture(scope="module")
def deployed(command_line):
    return command_line.deploy()


@pytest.fixture(scope="module")
def kept(command_line, deployed):
    answer = command_line.output / "answer.json"
    command_line.control_plane("ask", str(answer))
    return json.loads(answer.read_text(encoding="utf-8"))


def test_a_deployment_succeeds_and_prints_its_address(deployed, command_line):
    code, outcome, printed = deployed

    assert code == 0, printed
    assert (outcome["status"], outcome["model_version"], outcome["stage"]) == (
        "completed",
        "1",
        "production",
    )
    assert outcome["metrics"]["smoke_faults"] == 0
    assert outcome["metrics"]["smoke_rows"] >= 30
    assert outcome["metrics"]["smoke_largest_difference"] <= 1e-12
    assert f"version 1 serves on http://127.0.0.1:{command_line.port}" in printed


def test_its_page_is_put_where_people_look(deployed):
    page = Path(deployed[1]["report"])

    assert page.name.endswith("-deployment.html")
    text = page.read_text(encoding="utf-8")
    assert "/v1/score/batch" in text
    assert "http://" not in text.replace("http://127.0.0.1", "")  # nothing is fetched


def test_it_is_on_the_version_and_in_the_ledger(kept, command_line):
    found = kept["1"]["metadata"]["deployment_local"]

    assert (found["status"], found["version"], found["serving"]) == ("deployed", "1", "1")
    assert found["address"] == f"http://127.0.0.1:{command_line.port}"
    assert found["smoke"]["smoke_faults"] == 0
    assert "deployment" in kept["1"]["artifacts"]
    with DeploymentLedger(f"sqlite:///{command_line.output / 'ledger.db'}") as ledger:
        (recorded,) = ledger.deployments("telco-churn")
    assert (recorded.version, recorded.status, recorded.serving) == ("1", "deployed", "1")
