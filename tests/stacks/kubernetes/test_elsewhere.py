"""A run with steps in pods is reported, and ends, like one with steps on this machine."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from zenml.enums import ExecutionStatus as Status
from zenml.models.v2.misc.exception_info import ExceptionInfo

from churn.errors import ChurnError, GateError, InputError
from runner import remote_progress
from runner.remote_progress import follow_remote_run
from runner.run_status import raise_for_status

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def step(name, status, *, minute=0, source=None, message=None, metadata=None):
    exception = source and ExceptionInfo(traceback="...", source=source, message=message)
    return SimpleNamespace(
        name=name,
        status=status,
        end_time=NOON + timedelta(minutes=minute),
        created=NOON + timedelta(minutes=minute),
        exception_info=exception,
        run_metadata=metadata or {},
    )


def run_of(status, *steps):
    return SimpleNamespace(name="training-1", status=status, steps={s.name: s for s in steps})


def test_a_completed_run_has_no_error():
    raise_for_status(run_of(Status.COMPLETED, step("acquire_data", Status.CACHED)))


@pytest.mark.parametrize(
    ("source", "kind", "code"),
    [
        ("churn.errors.InputError", InputError, 2),
        ("churn.errors.GateError", GateError, 3),
        ("churn.errors.ChurnError", ChurnError, 1),
    ],
)
def test_our_own_error_keeps_its_type_and_sentence(source, kind, code):
    sentence = "3 rows of customers.csv break the contract; correct them."
    refused = step("accept_data", Status.FAILED, source=source, message=sentence)

    with pytest.raises(kind) as error:
        raise_for_status(run_of(Status.FAILED, refused))

    assert str(error.value) == sentence
    assert error.value.exit_code == code


def test_another_error_is_named_with_its_step_and_is_never_taken_for_one_of_ours():
    failed = step("train_model", Status.FAILED, source="other.InputError", message="no room\nleft")

    with pytest.raises(ChurnError) as error:
        raise_for_status(run_of(Status.FAILED, failed))

    assert str(error.value) == "Step 'train_model' failed: InputError: no room left."
    assert error.value.exit_code == 1


def test_the_first_failed_step_is_reported():
    later = step("measure_slices", Status.FAILED, minute=2, source="b.Second", message="second")
    first = step("train_model", Status.FAILED, minute=1, source="a.First", message="first")

    with pytest.raises(ChurnError, match="train_model"):
        raise_for_status(run_of(Status.FAILED, later, first))


@pytest.mark.parametrize("left", [Status.FAILED, Status.RETRYING, Status.RUNNING])
def test_a_step_that_was_killed_or_never_started_is_reported_as_such(left):
    completed = step("acquire_data", Status.COMPLETED)

    with pytest.raises(ChurnError, match=r"'train_model' .* killed for the memory it took"):
        raise_for_status(run_of(Status.FAILED, completed, step("train_model", left)))


@pytest.mark.parametrize("status", [Status.STOPPED, Status.RUNNING, Status.FAILED])
def test_a_run_that_has_not_ended_or_was_stopped_is_no_success(status):
    with pytest.raises(ChurnError, match=f"'training-1' is {status.value}"):
        raise_for_status(run_of(status, step("acquire_data", Status.COMPLETED)))


def test_each_step_is_reported_once_with_its_own_finding(monkeypatch, caplog):
    answers = [
        [step("acquire_data", Status.RUNNING)],
        [
            step("acquire_data", Status.COMPLETED, metadata={"finding": "7,043 customers", "domain_seconds": 1.5}),
            step("check_quality", Status.CACHED, minute=1),
            step("accept_data", Status.FAILED, minute=2),
        ],
    ]  # fmt: skip
    monkeypatch.setattr(remote_progress, "_SECONDS", 0.01)
    monkeypatch.setattr(remote_progress, "_steps", lambda name: answers[0])
    monkeypatch.setattr(logging.getLogger("churn.progress"), "propagate", True)
    caplog.set_level(logging.INFO, "churn.progress")

    with follow_remote_run("training-1", remote=True):
        until = time.monotonic() + 60
        while not caplog.records and time.monotonic() < until:
            time.sleep(0.01)
        answers[0] = answers[1]

    assert [(each.step, each.event, each.getMessage()) for each in caplog.records] == [
        ("acquire_data", "start", ""),
        ("acquire_data", "done", "7,043 customers"),
        ("accept_data", "failed", ""),
    ]
    assert caplog.records[1].seconds == 1.5


def test_a_server_that_does_not_answer_while_it_is_watched_breaks_nothing(monkeypatch):
    def away(name):
        raise ConnectionError("away")

    monkeypatch.setattr(remote_progress, "_SECONDS", 0.01)
    monkeypatch.setattr(remote_progress, "_steps", away)

    with follow_remote_run("training-1", remote=True):
        pass


def test_a_run_on_this_machine_is_not_polled(monkeypatch):
    monkeypatch.setattr(remote_progress, "_steps", lambda name: pytest.fail("polled"))

    with follow_remote_run("training-1", remote=False):
        pass
