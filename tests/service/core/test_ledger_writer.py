"""The thread that writes predictions outlives every failure, and a hung one is not waited for longer than asked."""

import threading
from datetime import UTC, datetime

import pytest

from churn.ledger.predictions import Prediction
from service.core import ledger_writer
from service.core.ledger_writer import LedgerWriter
from service.core.worker_metrics import RequestMetrics

PREDICTION = Prediction(
    datetime(2026, 11, 1, tzinfo=UTC), "p-1", "c-1", "1", "production", "api", 0.5, True, "ab"
)


class Ledger:
    """A ledger whose first calls end as given."""

    def __init__(self, *failures):
        self.failures, self.kept = list(failures), []
        self.written, self.closed = threading.Event(), False

    def record(self, predictions):
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, threading.Event):
                failure.wait(30)
            raise RuntimeError if isinstance(failure, threading.Event) else failure
        self.kept += predictions
        self.written.set()

    def close(self):
        self.closed = True


@pytest.fixture
def logged(monkeypatch):
    events = []
    monkeypatch.setattr(
        ledger_writer, "log", lambda _, event, **facts: events.append((event, facts))
    )
    return events


@pytest.fixture
def writer_of(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger_writer, "_RETRY_SECONDS", 0.01)

    def make(ledger):
        metrics = RequestMetrics(tmp_path)
        writer = LedgerWriter(ledger, metrics, limit=10, flush_seconds=0.01, shadow=lambda: None)
        writer.start()
        return writer

    return make


@pytest.mark.parametrize("failure", [RuntimeError("c-1"), MemoryError(), KeyError("c-1")])
def test_a_failure_of_any_kind_is_logged_without_its_text_and_tried_again(
    writer_of, logged, failure
):
    ledger = Ledger(failure)
    writer = writer_of(ledger)

    writer.enqueue(PREDICTION)

    assert ledger.written.wait(30)
    writer.stop(30)
    assert ledger.kept == [PREDICTION]
    assert ledger.closed
    assert logged == [("ledger_failed", {"reason": type(failure).__name__})]


def test_a_ledger_that_hangs_is_not_waited_for_and_what_is_lost_is_said(writer_of, logged):
    hung = threading.Event()
    ledger = Ledger(hung)
    writer = writer_of(ledger)
    writer.enqueue(PREDICTION)
    while ledger.failures:
        pass

    writer.stop(0.05)

    assert ("ledger_lost", {"predictions": 1}) in logged
    assert not ledger.closed
    hung.set()
