"""A whole request for a score takes the short path; its answer is the same as the application's."""

import json
import socket
from contextlib import closing
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.servers.churn_api import sample, serving

SHORT, LONG = "/v1/score", "/v1/score?"
"""The second is the same route; its empty query sends it the application's way."""


def whole_request(body, path=SHORT, head="", method="POST"):
    """A whole request."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    line = f"{method} {path} HTTP/1.1\r\nhost: a\r\n{head}content-length: {len(body)}\r\n\r\n"
    return line.encode() + body


class Answers:
    """A connection and the answers on it."""

    def __init__(self, service):
        self.connection = socket.create_connection(("127.0.0.1", service.port), timeout=30)
        self.file = self.connection.makefile("rb")

    def send(self, *parts):
        for part in parts:
            self.connection.sendall(part)
        return self

    def next(self):
        """Status, headers, body."""
        status = int(self.file.readline().split()[1])
        headers = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name] = value
        return status, headers, self.file.read(int(headers["content-length"]))

    def close(self):
        self.file.close()
        self.connection.close()


def on(service):
    return closing(Answers(service))


def comparable(answer):
    """An answer without what differs between any two: its id and its time."""
    status, headers, body = answer
    content = json.loads(body)
    own = content.pop("prediction_id", None) or content.pop("request_id")
    headers = {name: value for name, value in headers.items() if name != "date"}
    if headers["x-request-id"] != "mine":
        assert headers.pop("x-request-id") == own
        del headers["content-length"]  # ids grow
    return status, headers, content


def bodies(customer):
    """Valid and invalid bodies."""
    return {
        "valid": customer,
        "no id": {name: value for name, value in customer.items() if name != "customerID"},
        "empty": b"",
        "cut off": b'{"tenure": ',
        "a list": b"[]",
        "not a number": json.dumps(customer | {"tenure": float("nan")}).encode(),
        "unknown field": customer | {"Tenure": 1},
        "missing field": {"tenure": 1},
        "wrong category": customer | {"Contract": "weekly"},
        "odd id": customer | {"customerID": {}},
        "deep": b'{"Contract": ' + b"[" * 500 + b"]" * 500 + b"}",
        "not UTF-8": b'{"gender": "\xff"}',
        "too large": b" " * (64 * 2**10 + 1),
    }


@pytest.mark.parametrize("head", ["", "x-request-id: mine\r\n"])
@pytest.mark.parametrize("kind", list(bodies({})))
def test_both_ways_answer_alike(service, customers, kind, head):
    body = bodies(customers[0])[kind]

    with on(service) as short, on(service) as long:
        short_answer = comparable(short.send(whole_request(body, SHORT, head)).next())
        long_answer = comparable(long.send(whole_request(body, LONG, head)).next())

    assert short_answer == long_answer
    assert (short_answer[0] == 200) == (kind in ("valid", "no id"))


def test_both_ways_require_a_key_alike(store, tmp_path, customers):
    from service.core.keys import new_key

    key, digest = new_key()
    with serving(store, tmp_path, api_keys=digest) as service:
        for head, status in (
            ("", 401), ("x-api-key: wrong\r\n", 401), ("authorization: Bearer wrong\r\n", 401),
            (f"x-api-key: {key}\r\n", 200), (f"Authorization: bearer {key}\r\n", 200),
        ):  # fmt: skip
            with on(service) as short, on(service) as long:
                short_answer = comparable(
                    short.send(whole_request(customers[0], SHORT, head)).next()
                )
                assert short_answer == comparable(
                    long.send(whole_request(customers[0], LONG, head)).next()
                )
            assert short_answer[0] == status
        for path in (SHORT, LONG, "/v1/explain"):
            with on(service) as answers:
                answers.send(
                    whole_request(customers[0], path, "x-api-key: wrong\r\nx-request-id: mine\r\n")
                )
                status, headers, body = answers.next()
            assert (status, headers["x-request-id"]) == (401, "mine")
            assert json.loads(body)["request_id"] == "mine"


def test_requests_sent_at_once_are_answered_in_their_order(service, customers):
    with on(service) as answers:
        answers.send(
            whole_request(customers[0])
            + whole_request(b"", "/livez", method="GET")
            + whole_request(customers[1])
            + whole_request(b"{}")
            + whole_request(customers[2], "/v1/explain")
            + whole_request(customers[3])
            + whole_request(customers[4], LONG)
            + whole_request(customers[5])
        )
        answered = [answers.next() for _ in range(8)]

    assert [status for status, _, _ in answered] == [200, 200, 200, 422, 200, 200, 200, 200]
    scored = [json.loads(body)["probability"] for _, _, body in answered if b"probability" in body]
    with service.client() as client:
        assert scored == [
            client.post("/v1/score", json=customer).json()["probability"]
            for customer in customers[:6]
        ]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=st.lists(st.integers(1, 3000), max_size=6), chunked=st.booleans())
def test_wherever_the_stream_is_cut_the_answers_are_the_same(service, customers, cuts, chunked):
    requests = [whole_request(customers[number]) for number in range(3)]
    if chunked:
        body = json.dumps(customers[1]).encode()
        requests[1] = (
            b"POST /v1/score HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
            + b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (body[:7], body[7:90], body[90:]))
            + b"0\r\n\r\n"
        )
    stream = b"".join(requests)
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})

    with on(service) as answers:
        answers.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers.send(*(stream[start:end] for start, end in pairwise(edges)))
        answered = [answers.next() for _ in range(3)]

    assert [status for status, _, _ in answered] == [200] * 3
    with service.client() as client:
        expected = [client.post("/v1/score", json=c).json()["probability"] for c in customers[:3]]
    assert [json.loads(body)["probability"] for _, _, body in answered] == expected


def test_what_is_no_http_is_refused_after_the_answer_to_what_came_before(service, customers):
    with on(service) as answers:
        answers.send(whole_request(customers[0]) + b"\x00nonsense\r\n\r\n")
        score, refusal = answers.next(), answers.next()
        rest = answers.file.read()

    assert score[0] == 200
    assert refusal[0] == 400
    assert refusal[1]["connection"] == "close"
    assert json.loads(refusal[2])["request_id"] == refusal[1]["x-request-id"]
    assert rest == b""


@pytest.mark.parametrize(
    "head",
    ["connection: close\r\n", "connection: keep-alive, close\r\n", "expect: 100-continue\r\n"],
)
def test_a_request_that_needs_more_than_an_answer_gets_it(service, customers, head):
    with on(service) as answers:
        answers.send(whole_request(customers[0], SHORT, head))
        if head.startswith("expect"):
            assert answers.file.readline() + answers.file.readline() == (
                b"HTTP/1.1 100 Continue\r\n\r\n"
            )
        status, headers, body = answers.next()
        closes = headers.get("connection") == "close"
        if closes:
            assert answers.file.read() == b""

    assert (status, closes) == (200, head.startswith("connection"))
    assert 0 < json.loads(body)["probability"] < 1


def test_all_that_came_together_is_in_the_ledger_and_in_the_metrics(store, tmp_path, customers):
    from churn.ledger.predictions import PredictionLedger

    with serving(store, tmp_path, ledger_flush_seconds=0.05) as service:
        connections = [Answers(service) for _ in range(40)]
        for number, answers in enumerate(connections):
            answers.send(whole_request(customers[number]) + whole_request(customers[40 + number]))
        answered = [id_and_probability(answers.next()) for answers in connections for _ in range(2)]
        with service.client() as client:
            page = sample(client.get("/metrics").text)
        for answers in connections:
            answers.close()
        assert service.stop() == 0

    kept = PredictionLedger(service.ledger).predictions()
    assert {each.prediction_id: each.probability for each in kept} == dict(answered)
    assert len(kept) == 80
    assert page['churn_requests_total{route="/v1/score",status="200"}'] == 80
    assert page['churn_request_seconds_count{route="/v1/score"}'] == 80


def id_and_probability(answer):
    content = json.loads(answer[2])
    return content["prediction_id"], content["probability"]


def test_a_caller_who_sends_no_more_after_a_request_gets_the_answer(service, customers):
    with on(service) as answers:
        answers.send(whole_request(customers[0]))
        answers.connection.shutdown(socket.SHUT_WR)

        assert answers.next()[0] == 200
        assert answers.file.read() == b""


def test_a_caller_who_hangs_up_before_the_answer_harms_no_other(service, customers):
    for _ in range(20):
        gone = Answers(service).send(whole_request(customers[0]) * 3)
        gone.close()
    with service.client() as client:
        assert client.post("/v1/score", json=customers[0]).status_code == 200
    assert not service.logged("request_failed")
