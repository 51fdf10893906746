"""What a caller sends byte by byte, on every route: one request is one answer, and nothing else."""

import json
import socket
from contextlib import closing

import pytest

from service.core.keys import new_key
from tests.servers.churn_api import serving
from tests.service.api.test_fast_path import Answers, on

POSTS = ["/v1/score", "/v1/score?", "/v1/explain", "/v1/score/batch", "/v1/outcomes",
         "/v2/models/churn/infer", "/no/such/path"]  # fmt: skip
PATHS = [*POSTS, "/livez", "/metadata"]
SMUGGLED = b"GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n"
"""A body that would be a request of its own if its length were not obeyed."""
UPGRADES = {
    "websocket": b"connection: Upgrade\r\nupgrade: websocket\r\n",
    "h2c": b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n",
    "anything": b"Connection: upgrade\r\nUpgrade: x\r\n",
}


def head(path, extra=b"", method=b"POST"):
    return b"%b %b HTTP/1.1\r\nhost: a\r\n%b\r\n" % (method, path.encode(), extra)


def probe(answers):
    """Whether the connection still answers the next request, and in order."""
    status, headers, _ = answers.send(head("/livez", b"x-request-id: last\r\n", b"GET")).next()
    return status == 200 and headers["x-request-id"] == "last"


@pytest.mark.parametrize("upgrade", list(UPGRADES))
@pytest.mark.parametrize("path", PATHS)
def test_a_body_behind_an_upgrade_is_a_body(service, path, upgrade):
    length = b"content-length: %d\r\n" % len(SMUGGLED)
    with on(service) as answers:
        answers.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers.send(head(path, UPGRADES[upgrade] + length + b"x-request-id: first\r\n"))
        answers.send(SMUGGLED)
        _, headers, body = answers.next()

        assert headers["x-request-id"] == "first"
        assert b"openapi" not in body or path == "/no/such/path"
        assert probe(answers)


@pytest.mark.parametrize("upgrade", list(UPGRADES))
def test_an_upgrade_is_ignored_and_its_request_answered(service, customers, upgrade):
    body = json.dumps(customers[0]).encode()
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    length = b"content-length: %d\r\n" % len(body)
    with on(service) as answers:
        answers.send(head("/v1/score", UPGRADES[upgrade] + length) + body)
        answers.send(head("/v1/score", UPGRADES[upgrade] + b"transfer-encoding: chunked\r\n"))
        answers.send(chunks + head("/livez", UPGRADES[upgrade], b"GET"))

        assert [answers.next()[0] for _ in range(3)] == [200, 200, 200]
        assert probe(answers)


@pytest.mark.parametrize(
    "extra",
    [
        b"content-length: 5\r\ncontent-length: 5\r\n",
        b"content-length: 5\r\ncontent-length: 6\r\n",
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
        b"transfer-encoding: chunked\r\ncontent-length: 5\r\n",
        b"transfer-encoding: chunked, identity\r\n",
        b"transfer-encoding: gzip\r\n",
        b"connection: upgrade\r\nupgrade: a\r\ntransfer-encoding: gzip\r\n",
        b"connection: upgrade\r\nupgrade: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n",
        b"content-length: -5\r\n",
        b"content-length: 5x\r\n",
        b"content-length: 99999999999999999999\r\n",
        b"content length: 5\r\n",
        b"x: a\nb: c\r\n",
        b"x: a\0b\r\n",
        b" folded: x\r\n",
    ],
)
@pytest.mark.parametrize("path", ["/v1/score", "/v1/outcomes", "/livez"])
def test_an_ambiguous_head_is_refused_and_nothing_behind_it_is_answered(service, path, extra):
    with on(service) as answers:
        answers.send(head(path, extra) + b"0\r\n\r\n" + SMUGGLED)
        status, headers, body = answers.next()

        assert (status, headers["connection"]) == (400, "close")
        assert json.loads(body)["request_id"] == headers["x-request-id"]
        assert answers.file.read() == b""


@pytest.mark.parametrize(
    "chunks",
    [b"x\r\n", b"-1\r\n", b"5\r\nabc\r\n0\r\n\r\n", b"1\r\nabc\r\n", b"1;\0\r\na\r\n",
     b"ffffffffffffffffff\r\n", b"1\na\n0\n\n", b"0x1\r\na\r\n0\r\n\r\n", b" 1\r\na\r\n"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/score", "/v1/outcomes"])
def test_chunks_that_are_none_are_refused(service, path, chunks):
    with on(service) as answers:
        answers.send(head(path, b"transfer-encoding: chunked\r\n") + chunks)
        answers.connection.shutdown(socket.SHUT_WR)

        assert answers.file.readline().startswith((b"HTTP/1.1 400", b"HTTP/1.1 413"))
        assert answers.file.read().count(b"HTTP/1.1") == 0


@pytest.mark.parametrize("path", POSTS)
def test_a_body_in_the_smallest_chunks_is_the_same_body(service, path, customers):
    body = json.dumps(customers[0]).encode()
    chunks = b"".join(b"1;a=b\r\n%c\r\n" % byte for byte in body) + b"0\r\nx-request-id: b\r\n\r\n"
    extra = b"transfer-encoding: chunked\r\nx-request-id: a\r\n"
    with on(service) as answers, on(service) as plainly:
        chunked = answers.send(head(path, extra) + chunks).next()
        length = b"content-length: %d\r\nx-request-id: a\r\n" % len(body)
        plain = plainly.send(head(path, length) + body).next()

        assert chunked[0] == plain[0]
        assert chunked[1]["x-request-id"] == "a"
        assert probe(answers)


@pytest.mark.parametrize("path", POSTS)
def test_who_expects_a_go_ahead_gets_it_or_the_refusal_at_once(service, path):
    expects = b"expect: 100-continue\r\n"
    with on(service) as answers, on(service) as refused:
        answers.send(head(path, expects + b"content-length: 2\r\n"))
        assert answers.file.readline() + answers.file.readline() == b"HTTP/1.1 100 Continue\r\n\r\n"
        answers.send(b"{}").next()
        assert probe(answers)

        refused.send(head(path, expects + b"content-length: 100000000\r\n"))
        assert refused.next()[0] == 413
        assert refused.file.read() == b""


def test_the_key_is_checked_before_a_body_is_read(store, tmp_path):
    _, digest = new_key()
    with serving(store, tmp_path, api_keys=digest) as service:
        for path in (*POSTS, "/v1/score?ignore=target"):
            for extra in (
                b"content-length: 8000000\r\nexpect: 100-continue\r\n",
                b"content-length: 100000000\r\n",
            ):
                with on(service) as answers:
                    assert answers.send(head(path, extra)).next()[0] == 401
                    assert answers.file.read() == b""
            with on(service) as answers:
                answers.send(head(path, b"content-length: 5\r\n") + b"abcde")
                assert answers.next()[0] == 401
                assert probe(answers)
        with on(service) as answers:  # a body that nobody keeps
            before = service.memory()
            answers.send(head("/v1/score/batch", b"content-length: 8388608\r\n"))
            answers.send(b" " * (8 * 2**20 - 1))
            answers.send(b" ")
            assert answers.next()[0] == 401
            assert service.memory() - before < 4


def test_http_1_0_is_answered_and_the_connection_closed(service, customers):
    body = json.dumps(customers[0]).encode()
    rows = json.dumps(customers[:50]).encode()
    for path, sent in (("/v1/score", body), ("/v1/score/batch", rows)):
        with closing(Answers(service)) as answers:
            answers.send(
                b"POST %b HTTP/1.0\r\ncontent-length: %d\r\n\r\n%b"
                % (path.encode(), len(sent), sent)
            )
            answer = answers.file.read()

        assert answer.startswith(b"HTTP/1.1 200")
        assert b"transfer-encoding" not in answer
        assert answer.endswith((b"}", b"]"))
