"""No step is left out: each is called as a function by something in this folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.steps.discovery import steps_of_the_project

HERE = Path(__file__).parent


def test_every_step_of_the_project_runs_without_a_stack():
    called = {
        name
        for file in HERE.glob("*.py")
        for name in re.findall(r"\b(\w+)\.entrypoint\(", file.read_text(encoding="utf-8"))
    }

    left_out = {name: where for name, where in steps_of_the_project().items() if name not in called}

    assert left_out == {}, f"no test in {HERE.name}/ runs these steps without a stack: {left_out}"


def test_the_search_finds_steps_of_every_stage():
    modules = set(steps_of_the_project().values())

    stages = {module.split(".")[1] for module in modules}
    assert stages == {
        "data",
        "modelling",
        "promotion",
        "deployment",
        "features",
        "inference",
        "monitoring",
        "retention",
    }
    assert len(modules) >= 35


def test_a_step_that_asks_for_the_active_stack_would_be_caught():
    from zenml.client import Client

    with pytest.raises(AssertionError, match="a step asked for ZenML"):
        Client()
