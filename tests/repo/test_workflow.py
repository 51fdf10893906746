"""The workflow for a public forge runs what .ci/run runs, on the same Python and servers."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture(scope="module")
def workflow(root: Path) -> dict[Any, Any]:
    return yaml.safe_load((root / ".github/workflows/ci.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.fixture(scope="module")
def own_script(root: Path) -> str:
    return (root / ".ci" / "run").read_text(encoding="utf-8")


def test_it_runs_the_targets_that_ci_runs_in_that_order(steps, own_script):
    targets = [line for step in steps if (line := step.get("run", "")).startswith("make ")]

    assert targets == re.findall(r"^make .+$", own_script, re.MULTILINE)
    assert "make test" in targets


def test_it_installs_the_servers_that_ci_installs(steps, own_script):
    commands = "\n".join(step.get("run", "") for step in steps)
    servers = set(re.findall(r"missing\+=\(([a-z-]+)\)", own_script)) - {"make"}

    assert "postgresql" in servers
    assert servers <= set(commands.split())


def test_its_actions_are_pinned_and_may_only_read(workflow, steps):
    actions = [step["uses"] for step in steps if "uses" in step]

    assert workflow["permissions"] == {"contents": "read"}
    assert len(actions) > 1
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+\.\d+\.\d+", action) for action in actions)


def test_its_python_is_the_projects(steps):
    versions = [step["with"]["python-version"] for step in steps if "setup-python" in str(step)]

    assert versions == ["3.11"]
