"""`make demo-loop`: every stage happens, is told and has its page, and each record says the same."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from churn.retraining.record import replay
from churn.scoring.beside import Beside, read_beside
from churn.scoring.current import read_current
from runner.demonstration import MODEL, WIDTH
from runner.retraining_demo import FOLDER

pytestmark = pytest.mark.system

PATIENCE = 1200
STAGES = [
    "A first version",
    "Healthy weeks",
    "Prices rise by 10%",
    "Retraining, and a broken challenger",
    "A good challenger",
    "It is promoted and served",
    "Its probation ends",
    "A bad one slips through",
    "It is rolled back by itself",
]


class Shown(NamedTuple):
    """What the demonstration has left."""

    said: str
    folder: Path
    records: list[Path]


@pytest.fixture(scope="module")
def shown(root, isolated_environment, tmp_path_factory):
    """The demonstration, in a process and a folder of its own."""
    home = tmp_path_factory.mktemp("home")
    done = subprocess.run(
        [sys.executable, "-m", "runner.retraining_demo"],
        cwd=root, env=isolated_environment | {"CHURN_HOME": str(home)}, capture_output=True,
        text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    folder = home / FOLDER
    assert [path.name for path in home.iterdir()] == [FOLDER]
    return Shown(done.stdout, folder, sorted(folder.glob(f"retraining/retraining-{MODEL}-*.json")))


def test_every_stage_is_printed_within_eighty_columns(shown):
    *lines, page, _ = shown.said.splitlines()

    assert re.findall(r"^\d\. (.*)$", shown.said, re.MULTILINE) == STAGES
    assert max(map(len, lines)) <= WIDTH
    assert page == str(shown.folder / "demo-loop.html")
    linked = re.findall(r'href="(reports/[^"]+)"', (shown.folder / "demo-loop.html").read_text())
    assert len(linked) == len(STAGES)
    assert all((shown.folder / name).is_file() for name in linked)


def test_the_broken_one_is_blocked_the_good_one_serves_and_the_bad_one_goes_back(shown):
    found = [replay(path) for path in shown.records]

    assert all(same for _, same in found)
    assert [record.decision.outcome for record, _ in found] == ["kept", "promoted", "rolled back"]
    broken, sound, bad = (record for record, _ in found)
    assert [each.name for each in broken.decision.judged] == ["trigger", "training", "gates"]
    assert sound.decision.serving == sound.inputs.training.version
    assert bad.inputs.deployment.serving == bad.inputs.training.version
    assert bad.decision.serving == sound.decision.serving
    store = shown.folder / "production" / MODEL
    assert read_current(store).version == sound.decision.serving
    assert read_beside(store) == Beside()
