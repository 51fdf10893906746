"""What large bodies take is bounded, and given back to the system once none is left, not before."""

import asyncio
import gzip
from types import SimpleNamespace

import pytest

from service.api import request_path
from service.api.application import ChurnService
from service.api.http_request import HttpRequest
from service.api.problems import ProblemError
from service.api.request_path import RequestPath
from service.api.service_settings import read_settings
from service.core import free_memory
from tests.servers.published import published_store, trained
from tests.service.api.test_http_connection import connected, make_state

__all__ = ["make_state", "published_store", "trained"]


@pytest.fixture
def returned(monkeypatch):
    """How often memory was given back."""
    calls = []
    monkeypatch.setattr(request_path, "return_free_memory", lambda: calls.append(1))
    return calls


@pytest.fixture
def path():
    settings = read_settings({"CHURN_MAX_BODY_BYTES": "1024", "CHURN_MAX_BATCH_BYTES": "4096"})
    full = ProblemError(503, "Full.")
    metrics = SimpleNamespace(count_response=lambda *_: None)
    state = SimpleNamespace(settings=settings, over_capacity=lambda: full, metrics=metrics)
    return RequestPath(state, None)


def request():
    return HttpRequest("POST", b"/v1/score/batch", [], version="1.1", keep_alive=True)


def test_memory_is_given_back_once_after_the_last_large_body(path, returned):
    one, other = request(), request()
    path.reserve(one, 4096)
    path.reserve(other, 1025)
    path.return_memory()
    assert not returned
    path.account(one, 200)
    path.return_memory()
    assert not returned  # the other is still there
    path.account(other, 200)
    path.return_memory()
    path.return_memory()
    assert len(returned) == 1


def test_small_bodies_give_nothing_back(path, returned):
    path.reserve(request(), 1024)
    path.return_memory()
    assert not returned


@pytest.mark.parametrize("library", [OSError("no libc"), SimpleNamespace()])
def test_a_c_library_without_trim_is_no_error(monkeypatch, library):
    def load(_name):
        if isinstance(library, OSError):
            raise library
        return library

    monkeypatch.setattr(free_memory.ctypes, "CDLL", load)
    free_memory.return_free_memory()


def test_four_of_the_largest_bodies_may_be_there_at_once_and_no_byte_more(path):
    largest = [request() for _ in range(4)]
    for each in largest:
        path.reserve(each, 1025)
        path.reserve(each, 4096)  # more of it has come
    with pytest.raises(ProblemError, match="Full"):
        path.reserve(request(), 1025)
    path.reserve(request(), 1024)

    path.account(largest[0], 200)

    path.reserve(request(), 4096)


def batch_head(size, more=b""):
    return b"POST /v1/score/batch HTTP/1.1\r\nhost: a\r\n%bcontent-length: %d\r\n\r\n" % (
        more,
        size,
    )


def test_callers_who_leave_half_way_leave_no_memory_taken(make_state):
    size = 2**17

    async def exchange():
        state = make_state(max_batch_bytes=size)
        path = ChurnService(state).path
        seen = []
        for _ in range(5):  # one more than may be there at once
            connection, wire = connected(state, path)
            connection.data_received(batch_head(size))
            connection.data_received(b" " * (size - 1))
            seen += wire.answered()
            connection.connection_lost(None)
        return seen

    assert asyncio.run(exchange()) == []


def test_a_compressed_body_counts_as_the_largest_it_may_hold(make_state):
    body = gzip.compress(b"[]")

    async def exchange():
        state = make_state(max_batch_bytes=2**17)
        path = ChurnService(state).path
        wires = []
        for _ in range(5):
            connection, wire = connected(state, path)
            connection.data_received(batch_head(len(body), b"content-encoding: gzip\r\n") + body)
            wires.append(wire)
        while not all(wire.answered() for wire in wires):
            await asyncio.sleep(0.001)  # a thread decompresses
        return [wire.answered() for wire in wires]

    assert asyncio.run(exchange()) == [[200], [200], [200], [200], [503]]
