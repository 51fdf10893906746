"""The Makefile is the table of contents: it lists itself, and its targets set themselves up."""

import os
import re
import shutil
import subprocess
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
    order += ["mkdocs build --strict", "-m pytest", "coverage report"]
    places = [plan.stdout.find(command) for command in order]
    assert -1 not in places, dict(zip(order, places, strict=True))
    assert places == sorted(places)
    assert "run.py --pipeline" not in plan.stdout


def test_the_tests_are_split_into_those_of_every_change_and_the_long_ones(root):
    every_change, long = make(root, "-n", "test").stdout, make(root, "-n", "test-system").stdout

    for plan, selected in (
        (every_change, ["measured", "not measured and not system"]),
        (long, ["system"]),
    ):
        assert re.findall(r'-m pytest .*--numprocesses 2 .*-m "([^"]*)"', plan) == selected


def test_check_runs_no_slow_test_and_measures_no_coverage(root):
    plan = make(root, "-n", "check").stdout

    assert plan.find("mypy") < plan.find(' -m "not slow and not system"')
    assert "--cov" not in plan


def test_coverage_floor_holds_for_the_domain_the_service_and_the_steps(root):
    plan = make(root, "-n", "pytest").stdout

    assert "--fail-under=85" in plan
    assert "for package in churn deployment orchestration registry service steps" in plan
    measured, others = (line for line in plan.splitlines() if "-m pytest" in line)
    assert "--cov " in measured
    assert "--cov" not in others


def test_an_unknown_target_is_an_error(root):
    assert make(root, "retrain-the-moon").returncode == 2


def test_ci_runs_both_halves_and_nothing_may_be_skipped(root):
    script = root / ".ci" / "run"

    assert os.access(script, os.X_OK)
    lines = script.read_text().splitlines()
    assert {"set -euo pipefail", "export CI=1"} <= set(lines)
    assert lines[-2:] == ["make test", "make test-system"]
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


def test_ci_stops_before_the_tests_where_a_server_is_missing(root, tmp_path):
    """Nobody may install here: the PATH has no apt-get, and of what CI needs only make."""
    for name in ("bash", "dirname", "id"):
        (tmp_path / name).symlink_to(shutil.which(name))
    calls = tmp_path / "calls"
    (tmp_path / "make").write_text(f"#!/bin/sh\necho called >>{calls}\n")
    (tmp_path / "make").chmod(0o755)

    ended = subprocess.run(
        [root / ".ci" / "run"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert "redis-server prometheus" in ended.stderr
    assert "must be installed first" in ended.stderr
    assert not calls.exists()
