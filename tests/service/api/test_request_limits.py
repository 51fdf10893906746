"""Callers who send too much, too slowly, or read nothing: the others are answered all the same."""

import json
import socket
import time
from contextlib import ExitStack, suppress

import pytest

from service.api.request_reader import LARGEST_HEAD
from tests.servers.churn_api import serving
from tests.service.api.test_fast_path import on
from tests.service.api.test_request_framing import PATHS, POSTS, head

MEGABYTE = 2**20


@pytest.fixture(scope="module")
def hasty(published_store, tmp_path_factory):
    """A service that waits for nobody, and takes few connections."""
    folder = tmp_path_factory.mktemp("hasty")
    with serving(
        published_store, folder, head_seconds=0.3, body_seconds=0.3, max_connections=40
    ) as running:
        yield running


def closes(connection):
    """What the service sent before it closed the connection."""
    connection.settimeout(30)
    with suppress(ConnectionResetError):
        return b"".join(iter(lambda: connection.recv(65_536), b""))
    return b""


@pytest.mark.parametrize("path", PATHS)
def test_a_head_may_have_32_kilobytes_and_not_a_byte_more(service, path):
    for size, statuses in (
        (LARGEST_HEAD, {200, 400, 401, 404, 405, 422}),
        (LARGEST_HEAD + 1, {431}),
    ):
        empty = len(head(path, b"x: \r\n"))
        with on(service) as answers:
            answers.send(head(path, b"x: %b\r\n" % (b"a" * (size - empty))))
            status, headers, _ = answers.next()

        assert status in statuses
        assert (headers.get("connection") == "close") == (status == 431)


@pytest.mark.parametrize(
    "endless",
    [
        (b"GET /livez HTTP/1.1\r\nhost: a\r\n", b"x: y\r\n"),
        (b"GET /livez HTTP/1.1\r\nhost: a\r\nx: ", b"y" * 1000),
        (b"GET /livez HTTP/1.1\r\nhost: a\r\n", b"x" * 1000),
        (b"GET /", b"a" * 1000),
        (b"", b"\r\n"),
        (b"POST /v1/score HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n"),
        (b"POST /v1/score HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1;a=", b"b" * 1000),
    ],
    ids=["headers", "a value", "a name", "a path", "blank lines", "trailers", "an extension"],
)
def test_a_head_without_end_is_refused_and_fills_no_memory(service, endless):
    start, part = endless
    before = service.memory()
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        sent = 0
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(start)
            while sent < 40 * MEGABYTE:
                connection.sendall(part * (50_000 // len(part)))
                sent += 50_000
                answer = service.peek(connection)
                if answer:
                    break
        assert answer.startswith(b"HTTP/1.1 431")

    assert service.memory() - before < 5


@pytest.mark.parametrize("path", PATHS)
def test_a_request_that_stops_half_way_is_ended(hasty, path):
    request = head(path, b"content-length: 9\r\n") + b"12345678"
    for sent, expected in (
        (b"", b""), (b"P", b" 408 "), (request[:20], b" 408 "), (request, b" 408 ")
    ):  # fmt: skip
        with socket.create_connection(("127.0.0.1", hasty.port)) as connection:
            connection.sendall(sent)
            assert closes(connection)[8:13] == expected[:5], sent


def test_a_byte_now_and_then_does_not_put_off_the_end(hasty):
    for start in (b"GET /", head("/v1/score", b"content-length: 1000\r\n")):
        with socket.create_connection(("127.0.0.1", hasty.port)) as connection:
            connection.sendall(start)
            connection.setblocking(False)
            ended = False
            for _ in range(600):
                try:
                    connection.send(b"x")
                    ended = connection.recv(100)[9:12] == b"408"
                except BlockingIOError:
                    time.sleep(0.05)
                    continue
                break
            assert ended


def test_an_idle_connection_is_closed_though_a_byte_came_after_the_answer(hasty, customers):
    body = json.dumps(customers[0]).encode()
    with on(hasty) as answers:
        answers.send(head("/v1/score", b"content-length: %d\r\n" % len(body)) + body)
        assert answers.next()[0] == 200
        answers.send(b"P")
        assert answers.file.read()[9:12] == b"408"


@pytest.mark.parametrize("path", POSTS)
def test_many_half_requests_keep_no_other_from_its_answer(service, customers, path):
    with ExitStack() as stack:
        for _ in range(300):  # more than are answered at once
            half = stack.enter_context(socket.create_connection(("127.0.0.1", service.port)))
            half.sendall(head(path, b"content-length: 1000\r\n") + b"{")
        with service.client() as client:
            for customer in customers[:10]:
                assert client.post("/v1/score", json=customer).status_code == 200
            assert client.get("/readyz").json()["ready"]


def test_no_more_connections_are_kept_than_the_limit_and_a_new_caller_is_answered(hasty, customers):
    with ExitStack() as stack:
        for _ in range(200):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", hasty.port)))
            half.sendall(head("/v1/score", b"content-length: 1000\r\n") + b"{")
        with hasty.client() as client:
            assert client.post("/v1/score", json=customers[0]).status_code == 200
        assert hasty.sockets() <= 40 + 5  # the listening one and the event loop's own


@pytest.mark.parametrize("path", PATHS)
def test_who_sends_ahead_and_reads_nothing_fills_no_memory(service, customers, path):
    body = json.dumps(customers[0]).encode()
    request = head(path, b"content-length: %d\r\n" % len(body)) + body
    service.client().get("/openapi.json")
    before = service.memory()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        connection.connect(("127.0.0.1", service.port))
        connection.settimeout(0.5)
        with suppress(TimeoutError):
            for _ in range(400):
                connection.sendall(request * 100)
        with service.client() as client:
            assert client.post("/v1/score", json=customers[0]).status_code == 200
        assert service.memory() - before < 12
