"""A dry run says what would run on a stack, and leaves no trace of having been asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def dry_run(root, environment, home: Path, *arguments: str):
    return subprocess.run(
        [sys.executable, str(root / "run.py"), "--dry-run", *arguments],
        cwd=home,
        env=environment | {"ZENML_CONFIG_PATH": str(home / "zenml")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_it_lists_components_and_steps_in_order_and_touches_nothing(
    root, isolated_environment, tmp_path
):
    options = ("--pipeline", "training", "--json", "--set", f"output.folder={tmp_path / 'out'}")

    completed = dry_run(root, isolated_environment, tmp_path, *options)

    assert completed.returncode == 0, completed.stderr
    result = json.loads(completed.stdout)
    assert (result["pipeline"], result["stack"]) == ("training", "local-mlflow")
    assert result["components"]["experiment_tracker"] == "churn-mlflow (mlflow)"
    names = [step["name"] for step in result["steps"]]
    assert names[0] == "acquire_data"
    assert names[-1] == "register_model"
    for at, step in enumerate(result["steps"]):
        assert set(step["after"]) <= set(names[:at])
    assert not (tmp_path / "zenml").exists()
    assert not list((tmp_path / "out").iterdir())


def test_what_a_run_would_refuse_it_refuses(root, isolated_environment, tmp_path):
    completed = dry_run(
        root, isolated_environment, tmp_path, "--pipeline", "training", "--stack", "nowhere"
    )

    assert (completed.returncode, completed.stdout) == (2, "")
    assert "There is no stack 'nowhere'" in completed.stderr
