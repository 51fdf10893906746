"""What an application sends becomes one answer of the connection: whole, or in parts."""

import asyncio

import pytest

from service.api.asgi_call import AsgiCall
from service.api.http_request import HttpRequest


class Connection:
    """Keeps what it is told to send."""

    is_lost = False

    def __init__(self, fault=None):
        self.sent, self.answers, self.finished = b"", [], 0
        self.fault = fault

    def send_answer(self, answer):
        if self.fault:
            raise self.fault
        self.answers.append(answer)

    def completed_headers(self, headers):
        return headers

    def send(self, data):
        self.sent += data

    async def drain(self):
        pass

    def finish(self):
        self.finished += 1


def called(connection, *parts, headers=(), version="1.1"):
    """A call whose application has sent a head and these parts."""
    request = HttpRequest("GET", b"/x", [], version=version, keep_alive=True)
    request.own_id = "id-1"
    call = AsgiCall(connection, request)

    async def send():
        await call.send({"type": "http.response.start", "status": 200, "headers": [*headers]})
        for place, part in enumerate(parts, start=1):
            more = place < len(parts)
            await call.send({"type": "http.response.body", "body": part, "more_body": more})

    return call, send


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], [(b"x-request-id", b"id-1"), (b"content-length", b"3")]),
        ([(b"content-length", b"3")], [(b"content-length", b"3"), (b"x-request-id", b"id-1")]),
    ],
)
def test_a_whole_answer_is_sent_at_once_with_one_length(headers, expected):
    connection = Connection()
    call, send = called(connection, b"abc", headers=headers)

    asyncio.run(send())

    (answer,) = connection.answers
    assert (answer.status, answer.headers, answer.body) == (200, expected, b"abc")
    assert (call.is_complete, connection.sent) == (True, b"")


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.1", b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"), ("1.0", b"ab")],
)
def test_parts_come_in_chunks_where_the_version_knows_them(version, expected):
    connection = Connection()
    call, send = called(connection, b"a", b"b", b"", version=version)

    asyncio.run(send())

    assert connection.sent.partition(b"\r\n\r\n")[2] == expected
    assert (call.is_complete, connection.finished, connection.answers) == (True, 1, [])


def test_an_answer_that_could_not_be_sent_is_not_complete():
    call, send = called(Connection(KeyError(299)), b"abc")

    with pytest.raises(KeyError):
        asyncio.run(send())

    assert (call.status, call.is_complete) == (200, False)
