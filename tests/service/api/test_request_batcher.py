"""Requests that are answered together: a failure of one is no failure of another, whatever it is."""

import asyncio
import json

import pytest

from churn.scoring import Scorer
from service.api.application import ChurnService
from service.api.http_request import Answer, HttpRequest
from service.api.service_settings import ServiceSettings
from service.api.worker_state import WorkerState
from service.core.metrics_page import render_metrics
from tests.servers.churn_api import sample
from tests.servers.published import customers, published_store, trained

__all__ = ["customers", "published_store", "trained"]


class FakeConnection:
    """A connection that keeps its responses; None if it was closed without one."""

    def __init__(self):
        self.responses = []

    def send_answer(self, response):
        self.responses.append(response)

    def abort(self):
        self.responses.append(None)

    # What an application's answer goes through.
    is_lost = False

    def completed_headers(self, headers):
        return headers

    def send(self, data):
        head, _, body = data.partition(b"\r\n\r\n")
        self.responses.append(Answer(int(head.split()[1]), [], body))

    def finish(self):
        pass


@pytest.fixture
def make_state(published_store, tmp_path):
    """Makes a worker's state with other settings than the defaults."""
    return lambda ledger="none", **settings: WorkerState(
        ServiceSettings(store=str(published_store), ledger=ledger, **settings), tmp_path
    )


@pytest.fixture
def state(make_state):
    return make_state()


def send(path, connection, body):
    """Hands a whole request to the request path."""
    request = HttpRequest("POST", b"/v1/score", [], version="1.1", keep_alive=True)
    path.admit(request)
    request.body = json.dumps(body).encode()
    path.answer(connection, request)


def flush(state, bodies):
    """Returns the responses to requests that arrived together."""

    async def together():
        path, connection = ChurnService(state).path, FakeConnection()
        for body in bodies:
            send(path, connection, body)
        while len(connection.responses) < len(bodies):
            await asyncio.sleep(0)
        return connection.responses

    return asyncio.run(together())


def test_a_customer_the_scorer_fails_at_fails_alone(state, customers, monkeypatch):
    real = Scorer.score_each
    bad = state.pool.production.scorer.values(customers[1])

    def failing(self, rows):
        if bad in rows:
            raise ZeroDivisionError("Jane Doe")
        return real(self, rows)

    monkeypatch.setattr(Scorer, "score_each", failing)

    responses = flush(state, customers[:3])

    assert [response.status for response in responses] == [200, 500, 200]
    problem = json.loads(responses[1].body)
    assert (b"x-request-id", problem["request_id"].encode()) in responses[1].headers
    assert "Jane" not in json.dumps(problem)


def test_a_score_that_cannot_be_recorded_fails_its_own_answer_only(state, customers, monkeypatch):
    real = WorkerState.record_score

    def failing(self, row, *more):
        if row["customerID"] == customers[0]["customerID"]:
            raise OSError("no")
        return real(self, row, *more)

    monkeypatch.setattr(WorkerState, "record_score", failing)

    assert [response.status for response in flush(state, customers[:2])] == [500, 200]


def test_a_log_that_cannot_be_written_costs_nobody_an_answer(state, customers, monkeypatch):
    def full(*_said, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("service.api.request_path.log", full)

    responses = flush(state, [customers[0], {}, customers[1]])

    assert [response.status for response in responses] == [200, 422, 200]


def test_a_connection_that_cannot_be_answered_is_dropped_and_the_others_are_answered(
    state, customers
):
    class Broken(FakeConnection):
        def send_answer(self, _response):
            raise RuntimeError("the transport is at fault")

    broken, fine = Broken(), FakeConnection()

    async def together():
        path = ChurnService(state).path
        for connection in (broken, fine):
            send(path, connection, customers[0])
        await asyncio.sleep(0)

    asyncio.run(together())

    assert broken.responses == [None]
    assert [response.status for response in fine.responses] == [200]


@pytest.mark.parametrize("shadow", [None, "2"])
def test_what_came_together_is_scored_as_each_alone_and_counted_once(make_state, customers, shadow):
    state = make_state(shadow_version=shadow)
    scorer = state.pool.production.scorer

    responses = flush(state, customers[:200])

    probabilities = [json.loads(response.body)["probability"] for response in responses]
    assert probabilities == [scorer.score_one(customer).probability for customer in customers[:200]]
    assert sum(state.pool.production.metrics.numbers[:-3]) == 200


@pytest.mark.parametrize("short_path", [True, False])
def test_of_those_that_come_at_once_no_more_are_answered_than_the_limit_allows(
    make_state, customers, short_path
):
    state = make_state(max_concurrency=3, short_path=short_path)
    state.in_flight = 1

    responses = flush(state, customers[:4])

    assert sorted(response.status for response in responses) == [200, 200, 503, 503]
    refused = next(response for response in responses if response.status == 503)
    assert (b"retry-after", b"1") in refused.headers
    assert state.in_flight == 1  # the one that was there before


def test_customers_who_come_together_meet_the_version_that_each_meets_alone(make_state, customers):
    state = make_state(canary_version="2", canary_percent=50)

    responses = flush(state, customers[:200])

    versions = [json.loads(response.body)["model_version"] for response in responses]
    assert versions == [
        state.score_customer(customer, "api").model_version for customer in customers[:200]
    ]
    probabilities = [json.loads(response.body)["probability"] for response in responses]
    assert probabilities == [
        state.score_customer(customer, "api").probability for customer in customers[:200]
    ]
    assert 60 < versions.count("2") < 140


def test_a_customer_with_the_id_0_always_meets_the_same_version(make_state, customers):
    state = make_state(canary_version="2", canary_percent=50)

    answers = [state.score_customer(customers[0] | {"customerID": 0}, "api") for _ in range(40)]

    assert len({answer.model_version for answer in answers}) == 1


@pytest.mark.parametrize("short_path", [True, False])
def test_every_answer_is_counted_once_whatever_it_is(make_state, customers, tmp_path, short_path):
    state = make_state(max_concurrency=3, short_path=short_path)

    flush(state, [customers[0], {}, customers[1], customers[2]])

    page = sample(render_metrics(tmp_path).decode())
    counted = {name: value for name, value in page.items() if "requests_total" in name}
    assert counted == {
        f'churn_requests_total{{route="/v1/score",status="{status}"}}': count
        for status, count in (("200", 2), ("422", 1), ("503", 1))
    }
    assert page['churn_request_seconds_count{route="/v1/score"}'] == 4


@pytest.mark.parametrize(("waiting", "status"), [(0, 503), (1, 200)])
def test_outcomes_that_wait_for_the_ledger_take_no_capacity(
    make_state, customers, tmp_path, waiting, status
):
    state = make_state(f"sqlite:///{tmp_path}/ledger.db", max_concurrency=1)
    state.in_flight, state.outcome_writer.waiting = 1, waiting

    assert [response.status for response in flush(state, customers[:1])] == [status]
