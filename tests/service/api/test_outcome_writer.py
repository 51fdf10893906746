"""Outcomes have limits of their own: a ledger that is stuck refuses them, and they fill no memory."""

import asyncio
import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from churn.ledger.predictions import Outcome, PredictionLedger
from service.api import outcome_writer
from service.api.outcome_writer import OutcomeWriter
from service.api.outcomes import require_writer
from service.api.problems import ProblemError
from tests.servers.ledger_files import current_month

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def file(tmp_path):
    """The file of a ledger that has its tables."""
    path = tmp_path / "ledger.db"
    PredictionLedger(f"sqlite:///{path}").prepare()
    return path


def writer_of(file, *, requests=4, outcomes=100):
    return OutcomeWriter(f"sqlite:///{file}", requests=requests, outcomes=outcomes)


def several(count, name="c"):
    return [Outcome(NOW, churned=True, customer=f"{name}-{place}") for place in range(count)]


@contextmanager
def locked(file):
    """The current month's database, held by another writer."""
    with sqlite3.connect(current_month(file), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def refused(result):
    assert isinstance(result, ProblemError), result
    assert (result.status, result.headers) == (503, {"retry-after": "5"})
    return result.detail


def test_outcomes_are_written(file):
    writer = writer_of(file)

    asyncio.run(writer.write(several(3)))

    assert [each.customer for each in PredictionLedger(f"sqlite:///{file}").outcomes()] == [
        "c-0", "c-1", "c-2",
    ]  # fmt: skip
    assert writer.waiting == 0


@pytest.mark.parametrize(
    ("lock_seconds", "answer_seconds", "busy"),
    [(0.05, 30.0, True), (30.0, 0.3, False)],
    ids=["the lock's wait ends", "the answer's wait ends"],
)
def test_a_locked_ledger_refuses_after_a_short_wait_and_takes_outcomes_once_it_is_free(
    file, monkeypatch, lock_seconds, answer_seconds, busy
):
    monkeypatch.setattr(outcome_writer, "_LOCK_SECONDS", lock_seconds)
    monkeypatch.setattr(outcome_writer, "_ANSWER_SECONDS", answer_seconds)
    logged = []
    monkeypatch.setattr(outcome_writer, "log", lambda *_, **facts: logged.append(facts["reason"]))
    writer = writer_of(file)

    async def work():
        with locked(file):
            results = await asyncio.gather(
                writer.write(several(1)), writer.write(several(1)), return_exceptions=True
            )
        monkeypatch.setattr(outcome_writer, "_ANSWER_SECONDS", 30.0)
        await writer.write(several(1, "after"))
        return results

    for result in asyncio.run(work()):
        assert refused(result) == "The ledger cannot be written now. Ask again later."
    assert ("locked" in logged[0]) == busy
    assert "did not answer" in logged[-1] or busy
    kept = PredictionLedger(f"sqlite:///{file}").outcomes()
    assert "after-0" in [each.customer for each in kept]
    assert writer.waiting == 0


@pytest.mark.parametrize(
    ("requests", "outcomes", "sent", "taken"),
    [
        (2, 100, [1, 1, 1], 2),
        (9, 10, [5, 5, 1], 2),
        (9, 10, [10, 1], 1),
        (9, 10, [9, 1, 1], 2),
    ],
)
def test_requests_and_outcomes_beyond_either_limit_are_refused_at_once(
    file, monkeypatch, requests, outcomes, sent, taken
):
    monkeypatch.setattr(outcome_writer, "_LOCK_SECONDS", 0.2)
    writer = writer_of(file, requests=requests, outcomes=outcomes)

    async def work():
        with locked(file):
            tasks = [asyncio.create_task(writer.write(several(count))) for count in sent]
            await asyncio.sleep(0)
            assert writer.waiting == taken
            return await asyncio.gather(*tasks, return_exceptions=True)

    details = [refused(result) for result in asyncio.run(work())]
    assert details[:taken] == ["The ledger cannot be written now. Ask again later."] * taken
    assert details[taken:] == ["More outcomes wait for the ledger than may. Ask again later."] * (
        len(sent) - taken
    )
    assert writer.waiting == 0
    writer.check_capacity(outcomes)


def test_a_request_is_refused_before_its_outcomes_are_read(file):
    state = SimpleNamespace(outcome_writer=writer_of(file, requests=1))
    assert require_writer(state) is state.outcome_writer

    state.outcome_writer.waiting = 1

    with pytest.raises(ProblemError) as error:
        require_writer(state)
    assert refused(error.value) == "More outcomes wait for the ledger than may. Ask again later."
