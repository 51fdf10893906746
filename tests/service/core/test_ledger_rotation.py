"""Once a minute old months leave the ledger and its space is measured; a failure stops nothing."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from churn.errors import InputError
from churn.ledger.months import add_months, month_of
from churn.ledger.predictions import Prediction, PredictionLedger
from service.core import ledger_rotation
from service.core.ledger_rotation import LedgerRotation
from service.core.ledger_writer import LedgerWriter
from service.core.metrics_page import render_metrics
from service.core.worker_metrics import RequestMetrics

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=800)


def prediction(name, at):
    return Prediction(at, name, "C1", "7", "production", "api", 0.5, True, "ab" * 16)


@pytest.fixture
def logged(monkeypatch):
    events = []
    monkeypatch.setattr(
        ledger_rotation, "log", lambda _, event, **facts: events.append((event, facts))
    )
    return events


@pytest.fixture
def ledger(tmp_path):
    with PredictionLedger(f"sqlite:///{tmp_path}/ledger.db", max_bytes=10_000_000) as opened:
        yield opened


@pytest.fixture
def metrics(tmp_path):
    return RequestMetrics(tmp_path)


def open_files(name):
    """The open files of this process whose names begin so, deleted ones too."""
    descriptors = Path("/proc/self/fd")
    opened = [each.readlink() for each in descriptors.iterdir() if each.is_symlink()]
    return [path for path in opened if path.name.startswith(name)]


def page(folder):
    lines = render_metrics(folder).decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_a_removed_month_is_logged_and_counted_and_the_free_space_is_shown(
    ledger, metrics, logged, tmp_path
):
    ledger.record([prediction("old", LONG_AGO), prediction("new", NOW)])
    other = PredictionLedger(f"sqlite:///{tmp_path}/ledger.db")
    other.record([prediction("old", LONG_AGO)])
    rotation = LedgerRotation(ledger, metrics, 13, other)
    assert len(open_files(f"ledger-{LONG_AGO:%Y-%m}.db")) > 0
    assert "churn_ledger_free_bytes" not in page(tmp_path)  # nothing is known yet

    rotation.run_if_due()
    rotation.run_if_due()  # not due

    shown = page(tmp_path)
    assert logged == [("ledger_month_removed", {"month": f"{LONG_AGO:%Y-%m}"})]
    assert shown["churn_ledger_months_removed_total"] == "1.0"
    assert 9_000_000 < float(shown["churn_ledger_free_bytes"]) < 10_000_000
    assert [one.prediction_id for one in ledger.predictions()] == ["new"]
    assert open_files(f"ledger-{LONG_AGO:%Y-%m}.db") == []  # it would go on taking space


def test_the_workers_of_a_volume_show_its_space_once(tmp_path, monkeypatch):
    for pid, free in ((os.getpid(), 500.0), (os.getppid(), 400.0)):
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        RequestMetrics(tmp_path).set_gauge("ledger_free_bytes", free)

    assert page(tmp_path)["churn_ledger_free_bytes"] == "400.0"


@pytest.mark.parametrize(
    ("failure", "reason"),
    [(InputError("It cannot be used."), "It cannot be used."), (KeyError("c-1"), "KeyError")],
)
def test_a_failure_is_logged_and_the_space_is_absent_until_it_is_known_again(
    ledger, metrics, logged, tmp_path, monkeypatch, failure, reason
):
    def fail(*_):
        raise failure

    monkeypatch.setattr(ledger_rotation, "_EVERY_SECONDS", 0.0)
    rotation = LedgerRotation(ledger, metrics, retention_months=13)
    rotation.run_if_due()
    with monkeypatch.context() as patched:
        patched.setattr(ledger, "rotate", fail)
        rotation.run_if_due()
    assert logged == [("ledger_rotation_failed", {"reason": reason})]
    assert "churn_ledger_free_bytes" not in page(tmp_path)

    rotation.run_if_due()
    assert "churn_ledger_free_bytes" in page(tmp_path)


def test_a_batch_over_two_months_whose_second_part_fails_is_written_once(
    ledger, metrics, monkeypatch
):
    december = datetime(2026, 12, 1, tzinfo=UTC)
    recorded = [
        prediction("p-1", december - timedelta(microseconds=1)),
        prediction("p-2", december),
    ]
    writer = LedgerWriter(ledger, metrics, limit=10, flush_seconds=9, shadow=lambda: None)
    record, failures = ledger.record, [InputError("database or disk is full")]

    def fail_once(predictions):
        if predictions[0].prediction_id == "p-2" and failures:
            raise failures.pop()
        record(predictions)

    monkeypatch.setattr(ledger, "record", fail_once)
    monkeypatch.setattr("service.core.ledger_writer._RETRY_SECONDS", 0.0)
    for one in recorded:
        writer.enqueue(one)

    writer._write_queue()

    assert ledger.predictions() == recorded
    assert failures == []


@pytest.mark.parametrize(
    ("keep", "back", "kept"), [(13, 12, True), (13, 13, False), (1, 1, False), (0, 30, True)]
)
def test_as_many_months_are_kept_as_asked_for(ledger, metrics, keep, back, kept):
    month = add_months(month_of(NOW), -back)
    ledger.record([prediction("old", datetime(month.year, month.month, 1, tzinfo=UTC))])

    LedgerRotation(ledger, metrics, keep).run_if_due()

    assert [one.prediction_id for one in ledger.predictions()] == ["old"] * kept


def test_it_is_due_a_minute_after_the_last_time(ledger, metrics, monkeypatch):
    now, rotated = [100.0], []
    monkeypatch.setattr(ledger_rotation.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(ledger, "rotate", lambda *_: rotated.append(now[0]) or [])
    rotation = LedgerRotation(ledger, metrics, 13)

    for moment in (100.0, 159.9, 160.0, 219.9, 220.0):
        now[0] = moment
        rotation.run_if_due()

    assert rotated == [100.0, 160.0, 220.0]
