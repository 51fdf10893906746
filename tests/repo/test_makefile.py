"""The Makefile is the table of contents: it lists itself, and its targets set themselves up."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # MAKEFLAGS of an outer `make test` would make these print their folders.
    outer = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "VENV")
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def declared(root: Path) -> set[str]:
    return set(re.findall(r"^\.PHONY: ([a-z-]+)$", (root / "Makefile").read_text(), re.MULTILINE))


def test_plain_make_lists_every_target_with_a_line_about_it(root):
    listing = make(root)

    assert listing.returncode == 0, listing.stderr
    listed = dict(re.findall(r"^  ([a-z-]+) +(\S.*)$", listing.stdout, re.MULTILINE))
    assert set(listed) == declared(root)
    assert make(root, "help").stdout == listing.stdout


def test_train_needs_the_main_lock_and_nothing_of_the_tests(root):
    plan = make(root, "-n", "train")

    assert plan.returncode == 0, plan.stderr
    assert "tools/install.py requirements.lock" in plan.stdout
    assert "run.py --pipeline training" in plan.stdout
    assert "requirements-dev.lock" not in plan.stdout
    assert "requirements-deep.lock" not in plan.stdout
    assert "pytest" not in plan.stdout


def test_deep_training_needs_the_deep_lock_and_names_its_profile(root):
    plan = make(root, "-n", "train-deep")

    assert plan.returncode == 0, plan.stderr
    assert "tools/install.py requirements-deep.lock" in plan.stdout
    assert "run.py --pipeline training --set profile=deep" in plan.stdout
    assert "requirements-dev.lock" not in plan.stdout


def test_test_sets_itself_up_once_checks_everything_and_ends_with_pytest(root):
    plan = make(root, "-n", "test")

    assert plan.returncode == 0, plan.stderr
    assert plan.stdout.count("tools/install.py requirements-dev.lock") == 1
    order = ["install.py", "ruff check", "ruff format --check", "mypy", "lint-imports"]
    order += ["mkdocs build --strict", "tools/run_tests.py", "coverage report"]
    places = [plan.stdout.find(command) for command in order]
    assert -1 not in places, dict(zip(order, places, strict=True))
    assert places == sorted(places)
    assert "run.py --pipeline" not in plan.stdout


def test_coverage_floor_holds_for_the_domain_the_service_and_the_steps(root):
    plan = make(root, "-n", "pytest").stdout

    assert "--fail-under=85" in plan
    assert "for room in churn deployment registry service steps" in plan


def test_every_folder_of_tests_is_run_once(root):
    sys.path.insert(0, str(root / "tools"))
    try:
        from run_tests import LONGEST_FIRST, MEASURED, names
    finally:
        sys.path.pop(0)

    wanted = {path.parent.name for path in (root / "tests").glob("*/test_*.py")}
    assert sorted(names()) == sorted(wanted)
    assert set(LONGEST_FIRST) == wanted
    assert set(MEASURED) < wanted
    assert not list((root / "tests").glob("test_*.py"))


def test_an_unknown_target_is_an_error(root):
    assert make(root, "retrain-the-moon").returncode == 2


def test_ci_runs_make_test_and_nothing_else(root):
    script = root / ".ci" / "run"

    assert os.access(script, os.X_OK)
    lines = script.read_text().splitlines()
    assert "set -euo pipefail" in lines
    assert lines[-1] == "make test"
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
