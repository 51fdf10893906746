"""Deepchecks as a step of a small ZenML pipeline, on a part of the real table."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from churn.checks.deepchecks.deepchecks_report import ValidationReport

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("deepchecks") is None, reason="the extra 'deep' is missing"),
]


@pytest.fixture(scope="module")
def ran(root, isolated_environment, tmp_path_factory) -> dict[str, Any]:
    """What ZenML keeps of two runs, the second of which changes nothing."""
    folder: Path = tmp_path_factory.mktemp("deepchecks")
    answer = folder / "answer.json"
    completed = subprocess.run(
        [sys.executable, root / "tests" / "pipelines" / "deepchecks_alone.py", answer, folder],
        cwd=folder,
        env=isolated_environment
        | {"PYTHONPATH": str(root), "ZENML_CONFIG_PATH": str(folder / "zenml")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert completed.returncode == 0, completed.stderr
    return json.loads(answer.read_text(encoding="utf-8"))


def test_the_report_is_an_artifact_that_comes_back_as_it_was(ran):
    report = ValidationReport.model_validate(ran["report"])

    assert report.verdict == "warn"
    assert (report.development_rows, report.gate_rows) == (600, 600)
    assert len(report.findings) == 31


def test_the_dashboard_has_its_page_and_its_figures(ran):
    report = ValidationReport.model_validate(ran["report"])

    assert ran["pictures"] == ["html"]
    assert ran["artifact"]["verdict"] == "warn"
    assert ran["artifact"]["held"] == report.held
    assert ran["step"]["finding"] == f"{report.held} of 31 conditions hold: warn"
    assert set(ran["step"]["suite_seconds"]) == set(report.seconds)


def test_a_rerun_on_the_same_rows_and_model_is_cached(ran):
    assert ran["statuses"] == ["completed", "cached"]
