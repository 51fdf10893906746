"""The order of a batch's steps, and what the worker does where one of them fails."""

import json

import pytest

from churn.errors import InputError
from service.stream import worker as worker_module
from service.stream.messages import Message
from service.stream.session import PermanentError, SessionError
from service.stream.stream_settings import StreamSettings
from service.stream.worker import StreamWorker


class FakeSession:
    """Plays one batch, and notes what is asked of it.

    Attributes:
        script: step -> what it does instead of succeeding, one after the other.
        steps: what was asked for so far, of all sessions.
    """

    def __init__(self, steps, script, messages):
        self.steps, self.script, self.messages = steps, script, messages
        self.is_member, self.partitions = True, 3
        self._step("connect")

    def _step(self, name):
        self.steps.append(name)
        if actions := self.script.get(name):
            action = actions.pop(0)
            if isinstance(action, BaseException):
                raise action
            return action
        return None

    def poll(self, _seconds):
        self._step("poll")
        return self.messages

    def send(self, batch):
        self._step("send")
        assert len(batch.scored) + len(batch.rejected) == len(self.messages)

    def commit(self):
        accepted = self._step("commit")
        self.messages = []
        return accepted is not False

    def count_waiting(self):
        waiting = self._step("count")
        return 0 if waiting is None else waiting

    def count_lost(self):
        return 7

    def close(self):
        self._step("close")


@pytest.fixture
def played(published_store, tmp_path, customers, monkeypatch):
    """Plays a batch of two customers and a message that is none; returns the worker and its steps."""
    messages = [
        Message("t", 0, number, 1, None, json.dumps(customer).encode())
        for number, customer in enumerate(customers[:2])
    ]
    messages.append(Message("t", 0, 2, 1, None, b"none"))

    def play(script=None, *, ledger=(), redis=(), stop_after="commit", times=1):
        settings = StreamSettings(store=str(published_store), ledger=f"sqlite:///{tmp_path}/l.db")
        worker, steps, script = StreamWorker(settings, tmp_path), [], script or {}
        fails = {"ledger": list(ledger), "redis": list(redis)}

        def fake_part(name):
            def write(batch):
                steps.append(name)
                if fails[name]:
                    raise fails[name].pop(0)

            return write

        worker._write_ledger, worker._write_latest = fake_part("ledger"), fake_part("redis")
        pauses = []
        monkeypatch.setattr(worker._stop, "wait", pauses.append)
        monkeypatch.setattr(worker._stop, "is_set", lambda: steps.count(stop_after) >= times)
        monkeypatch.setattr(
            worker_module, "open_session", lambda _: FakeSession(steps, script, list(messages))
        )
        try:
            worker.run()
        except PermanentError as error:
            steps.append(error)
        return worker, [step for step in steps if step != "count"], pauses

    return play


def scored(worker):
    page = worker.metrics.render().decode()
    names = ("scored", "rejected", "repeated")
    totals = dict.fromkeys(names, 0.0)
    for line in page.splitlines():
        for name in names:
            if line.startswith(f"churn_stream_{name}_total"):
                totals[name] += float(line.rsplit(" ", 1)[1])
    return totals


WHOLE = ["connect", "poll", "ledger", "redis", "send", "commit", "close"]


def test_a_batch_is_written_everywhere_before_it_is_committed(played):
    worker, steps, _ = played()

    assert steps == WHOLE
    assert scored(worker) == {"scored": 2, "rejected": 1, "repeated": 0}


def test_a_batch_that_is_not_delivered_is_not_committed_and_is_read_again(played):
    worker, steps, pauses = played({"send": [SessionError("away")]})

    assert steps == [*WHOLE[:5], "close", *WHOLE]
    assert pauses[0] == 1
    assert scored(worker) == {"scored": 2, "rejected": 1, "repeated": 0}


def test_what_a_session_has_lost_is_counted(played):
    worker, _, _ = played()

    assert "churn_stream_lost_total 7.0" in worker.metrics.render().decode()


def test_a_permanent_error_ends_it_and_leaves_the_group(played):
    error = PermanentError("No.", topic="t", partition=0, offset=1)

    worker, steps, pauses = played({"send": [error]})

    assert steps == [*WHOLE[:5], "close", error]
    assert pauses == []
    assert scored(worker) == {"scored": 0, "rejected": 0, "repeated": 0}


@pytest.mark.parametrize("step", ["connect", "poll", "commit"])
def test_a_session_that_fails_is_closed_and_another_one_opened(played, step):
    _, steps, _ = played({step: [SessionError("away")]}, stop_after="redis",
                         times=2 if step == "commit" else 1)  # fmt: skip

    assert steps[: steps.index(step) + 1] == WHOLE[: WHOLE.index(step) + 1]
    assert steps.count("connect") == 2
    assert steps.count("close") == (1 if step == "connect" else 2)


def test_the_months_of_a_batch_are_written_one_after_the_other_each_until_it_is_written(
    played, monkeypatch
):
    monkeypatch.setattr(
        worker_module, "by_month", lambda found: [(None, found[:1]), (None, found[1:])]
    )

    _, steps, _ = played(ledger=[InputError("full")])

    assert steps == [*WHOLE[:2], "ledger", "ledger", "ledger", *WHOLE[3:]]


def test_the_ledger_is_tried_until_it_is_written_with_longer_and_longer_pauses(played):
    worker, steps, pauses = played(ledger=[InputError("away")] * 7)

    assert steps == [*WHOLE[:2], *["ledger"] * 8, *WHOLE[3:]]
    assert pauses[:7] == [1, 2, 4, 8, 10, 10, 10]
    assert "ledger" not in worker.ready()["reasons"]


def test_pauses_begin_anew_after_a_success(played):
    _, _, pauses = played({"poll": [None, SessionError("away")]}, times=2,
                          ledger=[InputError("away")] * 3)  # fmt: skip

    assert pauses[:4] == [1, 2, 4, 1]


def test_redis_is_tried_until_it_is_written(played):
    from redis.exceptions import ConnectionError as Away

    worker, steps, _ = played(redis=[Away("away")] * 2)

    assert steps == [*WHOLE[:3], "redis", "redis", "redis", *WHOLE[4:]]
    assert worker.metrics.failures.labels("redis")._value.get() == 2


def test_what_waits_is_counted_while_the_ledger_is_tried(played):
    worker, _, _ = played({"count": [17, SessionError("away")]},
                          ledger=[InputError("away")] * 2, stop_after="ledger", times=2)  # fmt: skip

    assert [metric.samples[0].value for metric in worker.metrics.waiting.collect()] == [17]


def test_a_stop_while_the_ledger_is_away_leaves_the_batch_uncommitted(played):
    _, steps, _ = played(ledger=[InputError("away")] * 9, stop_after="ledger", times=3)

    assert steps == [*WHOLE[:2], *["ledger"] * 3, "close"]


def test_a_stop_during_a_batch_finishes_it(played):
    _, steps, _ = played(stop_after="send")

    assert steps == WHOLE


def test_a_refused_commit_counts_nothing_as_done(played):
    worker, steps, _ = played({"commit": [False]})

    assert steps == WHOLE
    assert scored(worker) == {"scored": 0, "rejected": 0, "repeated": 3}


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(worker_module.time, "monotonic", lambda: now[0])
    return now


def test_a_worker_that_does_not_move_is_no_longer_alive_and_one_that_waits_is(
    played, clock, monkeypatch
):
    worker, _, _ = played()
    monkeypatch.setattr(worker._stop, "wait", lambda _: clock.__setitem__(0, clock[0] + 100))

    clock[0] += 119.9
    moved = worker.alive()
    clock[0] += 0.2
    stalled = worker.alive()
    worker._wait()

    assert (moved, stalled, worker.alive()) == (True, False, True)
    clock[0] += 119.9
    assert worker.alive()


def test_a_group_that_does_not_take_the_worker_in_is_reported_after_a_while(played, clock):
    worker, _, _ = played()
    session = FakeSession([], {}, [])
    session.is_member = False
    worker._checked_at = clock[0]

    clock[0] += 20
    worker._check_brokers(session)
    before = worker.ready()["reasons"]
    clock[0] += 0.1
    worker._check_brokers(session)
    after = worker.ready()["reasons"]
    session.is_member = True
    clock[0] += 3
    worker._check_brokers(session)

    assert "kafka" not in before
    assert after["kafka"] == "The group has not taken the worker in."
    assert "kafka" not in worker.ready()["reasons"]
    assert session.steps == ["connect", "count"]


def test_what_waits_is_counted_every_few_seconds(played, clock):
    worker, _, _ = played()
    session = FakeSession([], {}, [])
    worker._checked_at = clock[0]

    for step in (2.9, 0.2, 2.9, 0.2):
        clock[0] += step
        worker._check_brokers(session)

    assert session.steps.count("count") == 2
