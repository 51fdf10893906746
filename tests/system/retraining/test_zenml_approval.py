"""A question in the real ZenML: a run pauses at it, and a person's answer is found by the next start."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.system

TIMEOUT = 900
SCRIPT = """
import json
from datetime import UTC, datetime
from runner.silence import set_environment_defaults
set_environment_defaults()
from zenml.client import Client
from zenml.enums import RunWaitConditionResolution as Resolution
from runner.zenml_approval import ask_in_zenml

found = []
for condition, resolution, result in (
    ("m-2-loop-1", Resolution.CONTINUE, True),
    ("m-3-loop-2", Resolution.CONTINUE, False),
    ("m-4-loop-3", Resolution.ABORT, None),
):
    before = [ask_in_zenml(condition, "May it serve?") for _ in range(2)]
    (conditions,) = Client().list_run_wait_conditions(name=condition, hydrate=True).items
    asked = datetime.now(UTC).replace(microsecond=0)
    Client().resolve_run_wait_condition(conditions.id, resolution=resolution, result=result)
    answer = ask_in_zenml(condition, "May it serve?")
    assert asked <= answer.at <= datetime.now(UTC), answer
    found.append([before, conditions.question, answer.person, answer.approved])
found.append(Client().list_pipeline_runs().total)
print("FOUND " + json.dumps(found))
"""


def test_a_question_is_asked_once_and_its_answer_counts(root, isolated_environment, tmp_path):
    environment = isolated_environment | {"ZENML_CONFIG_PATH": str(tmp_path / "zenml")}

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=root, env=environment, capture_output=True, text=True,
        check=False, timeout=TIMEOUT,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = (each for each in done.stdout.splitlines() if each.startswith("FOUND "))
    *answers, runs = json.loads(line.removeprefix("FOUND "))
    waiting = [[None, None], "May it serve?", "default"]
    assert answers == [[*waiting, True], [*waiting, False], [*waiting, False]]
    assert runs == 3
