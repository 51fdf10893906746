"""The thread that writes predictions outlives every failure, and a hung one is not waited for longer than asked."""

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from churn.errors import InputError
from churn.ledger.predictions import Prediction
from churn.scoring import Score
from service.core import ledger_writer
from service.core.ledger_writer import LedgerWriter
from service.core.worker_metrics import RequestMetrics, read_metrics_files

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


def figures(folder, writer):
    """What the metrics say of the ledger, after the gauges were set."""
    writer.update_gauges()
    (snapshot,) = read_metrics_files(folder)
    return {
        name.removeprefix("ledger_"): value
        for name, value in snapshot.named()
        if name.startswith("ledger_")
    }


def predictions(count, age=0):
    now = datetime.now(UTC) - timedelta(seconds=age)
    return [PREDICTION._replace(prediction_id=f"p-{n}", predicted_at=now) for n in range(count)]


@pytest.fixture
def stopped_writer(tmp_path):
    """A writer whose thread does not run: what is queued stays queued."""

    def make(ledger, **options):
        metrics = RequestMetrics(tmp_path)
        given = {"limit": 3, "flush_seconds": 60, "shadow": lambda: None}
        return LedgerWriter(ledger, metrics, **given | options)

    return make


@pytest.mark.parametrize(("count", "waiting", "dropped"), [(2, 2, 0), (3, 3, 0), (4, 3, 1)])
def test_what_waits_is_bounded_and_what_is_beyond_is_counted(
    stopped_writer, tmp_path, count, waiting, dropped
):
    ledger = Ledger()
    writer = stopped_writer(ledger)
    given = predictions(count, age=100)

    for each in given:
        writer.enqueue(each)
    before = figures(tmp_path, writer)
    writer._write_queue()
    after = figures(tmp_path, writer)

    assert (before["waiting"], before["dropped"], before["written"]) == (waiting, dropped, 0)
    assert 100 <= before["lag_seconds"] < 200
    assert (after["waiting"], after["lag_seconds"]) == (0, 0)
    assert (after["dropped"], after["written"]) == (dropped, waiting)
    assert ledger.kept == given[:waiting]


def test_what_waits_at_the_end_is_written(stopped_writer, tmp_path):
    ledger = Ledger()
    writer = stopped_writer(ledger)
    given = predictions(3)
    for each in given:
        writer.enqueue(each)

    writer.start()
    writer.stop(30)

    assert ledger.kept == given
    assert ledger.closed
    assert figures(tmp_path, writer)["dropped"] == 0


def test_what_cannot_be_written_at_the_end_is_counted_as_lost(stopped_writer, tmp_path, logged):
    writer = stopped_writer(Ledger(InputError("Full."), InputError("Full.")))
    for each in predictions(3):
        writer.enqueue(each)

    writer.start()
    writer.stop(30)

    assert figures(tmp_path, writer)["dropped"] == 3
    assert logged[-1] == ("ledger_lost", {"predictions": 3})


def test_what_failed_is_written_first_and_once(stopped_writer, tmp_path, monkeypatch):
    monkeypatch.setattr(ledger_writer, "_RETRY_SECONDS", 0.01)
    ledger = Ledger(InputError("Full."), InputError("Full."))
    writer = stopped_writer(ledger, limit=10)
    given = predictions(5)
    for each in given[:3]:
        writer.enqueue(each)
    writer._write_queue()
    for each in given[3:]:
        writer.enqueue(each)
    writer._write_queue()

    found = figures(tmp_path, writer)
    assert ledger.kept == given
    assert (found["failures"], found["written"], found["dropped"]) == (2, 5, 0)


@pytest.mark.parametrize(("count", "sizes"), [(2, [2]), (3, [2, 1]), (4, [2, 2])])
def test_a_transaction_has_so_many_rows_at_most(stopped_writer, monkeypatch, count, sizes):
    monkeypatch.setattr(ledger_writer, "_TRANSACTION_ROWS", 2)
    ledger, written = Ledger(), []
    ledger.record = lambda rows: written.append(len(rows))
    writer = stopped_writer(ledger, limit=10)
    for each in predictions(count):
        writer.enqueue(each)

    writer._write_queue()

    assert written == sizes


def test_a_failed_write_is_tried_again_after_a_pause_in_which_months_may_go(
    stopped_writer, monkeypatch
):
    steps = []
    ledger = Ledger(InputError("Full."))
    writer = stopped_writer(
        ledger, rotation=SimpleNamespace(run_if_due=lambda: steps.append("rotation"))
    )
    monkeypatch.setattr(writer._stop, "wait", steps.append)
    writer.enqueue(PREDICTION)

    writer._write_queue()

    assert steps == ["rotation", "rotation", 1.0]
    assert ledger.kept == [PREDICTION]


def test_a_shadow_that_fails_costs_only_its_own_prediction(stopped_writer, tmp_path):
    counted = []

    def score(row):
        if row == {"fails": True}:
            raise ZeroDivisionError
        return Score(0.25, 0.0, False, "2")

    shadow = SimpleNamespace(
        version="2",
        scorer=SimpleNamespace(score_one=score),
        metrics=SimpleNamespace(count_score=lambda *each, **more: counted.append((each, more))),
    )
    ledger = Ledger()
    writer = stopped_writer(ledger, shadow=lambda: shadow)
    given = predictions(3)
    for each, row in zip(given, ({}, {"fails": True}, None), strict=True):
        writer.enqueue(each, row)

    writer._write_queue()

    beside = given[0]._replace(version="2", role="shadow", probability=0.25, decision=False)
    assert ledger.kept == [given[0], beside, given[1], given[2]]
    assert counted == [((0.25,), {"decision": False})]
    (snapshot,) = read_metrics_files(tmp_path)
    assert dict(snapshot.named())["shadow_failures"] == 1
