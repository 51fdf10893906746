"""Ctrl-C while models are being fitted: it ends, says so, and leaves nothing half-written."""

from __future__ import annotations

import pytest

from churn.command import STOPPED

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def interrupted(command_line, again, scratch, tmp_path_factory):
    output = tmp_path_factory.mktemp("interrupted")
    # Without the cache, so that there are seconds of fitting to stop.
    options = ("--stack", "local", "--no-cache")
    return command_line.interrupt(output, *options, after="accept data", scratch=scratch)


def test_it_ends_as_interrupted_programs_end(interrupted):
    assert interrupted.code == 130, interrupted.stderr
    assert interrupted.result["status"] == "interrupted"
    assert interrupted.result["error"] == STOPPED
    assert interrupted.result["model_version"] is None
    assert "Traceback" not in interrupted.stderr


def test_it_was_at_work_when_it_was_stopped(interrupted):
    assert "✓ accept data" in interrupted.stderr
    assert "train model" not in interrupted.stderr


def test_nothing_half_written_stays(interrupted, scratch):
    kept = [path.relative_to(interrupted.output) for path in interrupted.output.rglob("*")]

    # The run says in the file of alerts that it did not end by itself.
    assert {path.parts[0] for path in kept} <= {"reports", "alerts.jsonl"}
    assert all(path.suffix == ".html" for path in kept if len(path.parts) > 1)
    assert list(scratch.iterdir()) == []


def test_no_version_and_no_run_is_left_in_the_air(interrupted, state):
    now = state()

    assert [each[:2] for each in now["versions"] if each[0] == "telco-churn-demo"] == [
        ["telco-churn-demo", 1],
        ["telco-churn-demo", 2],
    ]
    assert "running" not in now["runs"].values()
