"""Deployment as somebody types it: the end, what is said, and what ZenML and the ledger keep."""

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

PATIENCE = 300


class Door:
    """The door, with versions on a control plane of its own and their bundles in a store."""

    def __init__(self, root: Path, folder: Path, store: Path, environment: dict[str, str]) -> None:
        self.root, self.output, self.port = root, folder / "out", free_port()
        self.store = Path(shutil.copytree(store, self.output / "production"))
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
            timeout=PATIENCE,
        )

    def deploy(self, *words: str, **more: str) -> tuple[int, dict, str]:
        own = [f"output.folder={self.output}", f"local.port={self.port}", *words]
        asked = [part for each in own for part in ("--set", each)]
        ended = self.python(
            "run.py", "--pipeline", "deployment", "--stack", "local", "--json", *asked, **more
        )
        return ended.returncode, json.loads(ended.stdout), ended.stderr

    def control_plane(self, *words: str) -> None:
        ended = self.python("tests/deployment/control_plane.py", *words)
        assert ended.returncode == 0, ended.stderr


@pytest.fixture(scope="module")
def door(root, shelf, isolated_environment, tmp_path_factory):
    made = Door(root, tmp_path_factory.mktemp("door"), shelf, isolated_environment)
    made.control_plane("promote")
    yield made
    from deployment.local_process import find_process

    running = find_process(made.output / "deployment" / "local")
    if running is not None:
        running.stop()


@pytest.fixture(scope="module")
def deployed(door):
    return door.deploy()


@pytest.fixture(scope="module")
def kept(door, deployed):
    answer = door.output / "answer.json"
    door.control_plane("ask", str(answer))
    return json.loads(answer.read_text(encoding="utf-8"))


def test_a_deployment_ends_well_and_says_where_it_serves(deployed, door):
    code, told, said = deployed

    assert code == 0, said
    assert (told["status"], told["model_version"], told["stage"]) == (
        "completed",
        "1",
        "production",
    )
    assert told["metrics"]["smoke_faults"] == 0
    assert told["metrics"]["smoke_rows"] >= 30
    assert told["metrics"]["smoke_largest_difference"] <= 1e-12
    assert f"version 1 serves on http://127.0.0.1:{door.port}" in said


def test_its_page_is_put_where_people_look(deployed):
    page = Path(deployed[1]["report"])

    assert page.name.endswith("-deployment.html")
    text = page.read_text(encoding="utf-8")
    assert "/v1/score/batch" in text
    assert "http://" not in text.replace("http://127.0.0.1", "")  # nothing is fetched


def test_it_is_on_the_version_and_in_the_ledger(kept, door):
    found = kept["1"]["metadata"]["deployment_local"]

    assert (found["status"], found["version"], found["serving"]) == ("deployed", "1", "1")
    assert found["address"] == f"http://127.0.0.1:{door.port}"
    assert found["smoke"]["smoke_faults"] == 0
    assert "deployment" in kept["1"]["artifacts"]
    with DeploymentLedger(f"sqlite:///{door.output / 'ledger.db'}") as ledger:
        (recorded,) = ledger.deployments("telco-churn")
    assert (recorded.version, recorded.status, recorded.serving) == ("1", "deployed", "1")
