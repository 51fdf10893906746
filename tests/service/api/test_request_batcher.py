"""What is answered together: nobody's failure is another's, whatever it is."""

import json

import pytest

from churn.scoring import Scorer
from service.api.fast_path.request_batcher import RequestBatcher
from service.api.service_settings import ServiceSettings
from service.api.worker_state import WorkerState
from tests.servers.published import customers, shelf, trained

__all__ = ["customers", "shelf", "trained"]


class Kept:
    """A caller who keeps what is answered."""

    def __init__(self):
        self.replies = []

    def reply(self, reply):
        self.replies.append(reply)

    def drop(self):
        self.replies.append(None)


@pytest.fixture
def make(shelf, tmp_path):
    """A state with other settings than usual."""
    return lambda **settings: WorkerState(
        ServiceSettings(store=str(shelf), ledger="none", **settings), tmp_path
    )


@pytest.fixture
def state(make):
    return make()


def asked(state, bodies):
    """The answers to bodies that came in one turn."""
    turn, kept = RequestBatcher(state), Kept()
    for number, body in enumerate(bodies):
        assert turn.take(kept, [], json.dumps(body).encode()) == (number == 0)
    turn.answer()
    return kept.replies


def test_a_customer_the_scorer_fails_at_fails_alone(state, customers, monkeypatch):
    real = Scorer.score_each
    bad = state.pool.production.scorer.values(customers[1])

    def failing(self, rows):
        if bad in rows:
            raise ZeroDivisionError("Jane Doe")
        return real(self, rows)

    monkeypatch.setattr(Scorer, "score_each", failing)

    replies = asked(state, customers[:3])

    assert [reply.status for reply in replies] == [200, 500, 200]
    problem = json.loads(replies[1].body)
    assert problem["request_id"] == replies[1].request_id
    assert "Jane" not in json.dumps(problem)


def test_a_note_that_cannot_be_made_fails_its_own_answer_only(state, customers, monkeypatch):
    real = WorkerState.answer

    def failing(self, row, *more):
        if row["customerID"] == customers[0]["customerID"]:
            raise OSError("no")
        return real(self, row, *more)

    monkeypatch.setattr(WorkerState, "answer", failing)

    assert [reply.status for reply in asked(state, customers[:2])] == [500, 200]


def test_a_log_that_cannot_be_written_costs_nobody_an_answer(state, customers, monkeypatch):
    def full(*_said, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("service.api.fast_path.plain_asgi_routes.log", full)

    replies = asked(state, [customers[0], {}, customers[1]])

    assert [reply.status for reply in replies] == [200, 422, 200]


def test_a_connection_that_cannot_be_answered_is_dropped_and_the_others_are_answered(
    state, customers
):
    class Broken(Kept):
        def reply(self, _reply):
            raise RuntimeError("the transport is at fault")

    turn, broken, fine = RequestBatcher(state), Broken(), Kept()
    for caller in (broken, fine):
        turn.take(caller, [], json.dumps(customers[0]).encode())
    turn.answer()

    assert broken.replies == [None]
    assert [reply.status for reply in fine.replies] == [200]


def test_what_came_together_is_scored_as_each_alone_and_counted_once(state, customers):
    scorer = state.pool.production.scorer

    replies = asked(state, customers[:200])

    found = [json.loads(reply.body)["probability"] for reply in replies]
    assert found == [scorer.score_one(customer).probability for customer in customers[:200]]
    assert sum(state.pool.production.metrics.numbers[:-2]) == 200


def test_of_those_that_come_at_once_no_more_are_answered_than_there_is_room_for(make, customers):
    state = make(max_concurrency=3)
    state.running = ["a request that goes the other way"]

    replies = asked(state, customers[:4])

    assert [reply.status for reply in replies] == [200, 200, 503, 503]
    assert (b"retry-after", b"1") in replies[-1].headers


def test_customers_who_come_together_meet_the_version_that_each_meets_alone(make, customers):
    state = make(canary_version="2", canary_percent=50)

    replies = asked(state, customers[:200])

    met = [json.loads(reply.body)["model_version"] for reply in replies]
    assert met == [state.score(customer, "api").model_version for customer in customers[:200]]
    found = [json.loads(reply.body)["probability"] for reply in replies]
    assert found == [state.score(customer, "api").probability for customer in customers[:200]]
    assert 60 < met.count("2") < 140


def test_a_turn_that_was_answered_is_empty(state, customers):
    turn, kept = RequestBatcher(state), Kept()
    turn.take(kept, [], json.dumps(customers[0]).encode())
    turn.answer()
    turn.answer()

    assert len(kept.replies) == 1
    assert turn.take(kept, [], b"")
