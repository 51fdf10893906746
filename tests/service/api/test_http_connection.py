"""One connection: what is read when, what is answered before it is closed, and who is waited for."""

import asyncio
import gc
import json

import pytest
import uvicorn
from uvicorn.server import ServerState

from service.api.application import ChurnService
from service.api.http_connection import HttpConnection
from service.api.http_request import HttpRequest
from service.api.service_settings import ServiceSettings
from service.api.worker_state import WorkerState
from service.core.keys import new_key
from tests.servers.published import customers, published_store, trained

__all__ = ["customers", "published_store", "trained"]


class Wire(asyncio.Transport):
    """A fake transport: keeps what is written, and whether it was closed."""

    def __init__(self):
        super().__init__()
        self.written = b""
        self.closed = False
        self.reading = True

    def write(self, data):
        assert not self.closed
        self.written += data

    def close(self):
        self.closed = True

    abort = close

    def is_closing(self):
        return self.closed

    def can_write_eof(self):
        return True

    def write_eof(self):
        self.ended = True

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True

    def answered(self):
        """Statuses so far."""
        return [int(part[:3]) for part in self.written.split(b"HTTP/1.1 ")[1:]]


@pytest.fixture
def make_state(published_store, tmp_path):
    """Makes a worker's state with other settings than the defaults."""
    return lambda **settings: WorkerState(
        ServiceSettings(store=str(published_store), ledger="none", **settings), tmp_path
    )


@pytest.fixture
def state(make_state):
    return make_state()


@pytest.fixture
def request_(customers):
    body = json.dumps(customers[0]).encode()
    return b"POST /v1/score HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def connected(state, path=None):
    """A connection, as uvicorn makes it; with a request path of its own unless one is given."""
    config = uvicorn.Config("", log_config=None, timeout_keep_alive=5)
    connection = HttpConnection(
        path or ChurnService(state).path, config=config, server_state=ServerState()
    )
    wire = Wire()
    connection.connection_made(wire)
    return connection, wire


async def until(there):
    """Lets the event loop run until something is there."""
    for _ in range(10_000):
        if there():
            return
        await asyncio.sleep(0)
    raise AssertionError("it does not come")


def test_a_whole_request_for_a_score_is_answered_in_the_same_pass_of_the_loop(state, request_):
    async def exchange():
        connection, wire = connected(state)
        connection.data_received(request_)
        before = wire.answered()
        await asyncio.sleep(0)
        return before, wire.answered(), len(asyncio.all_tasks())

    assert asyncio.run(exchange()) == ([], [200], 1)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/score", b"[[", 400),
        ("/v1/explain", b"[[", 400),
        ("/v1/score/batch", b"[" * 5000, 400),
        ("/v1/outcomes", b"[" * 5000, 503),
        ("/v2/models/churn/infer", b'{"inputs":[[],NaN]}', 422),
        ("/nowhere", b"{}", 404),
    ],
)
def test_a_refused_request_is_not_kept_until_the_collector_looks(state, path, body, status):
    async def exchange():
        connection, wire = connected(state)
        head = f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
        connection.data_received(b"%bcontent-length: %d\r\n\r\n" % (head.encode(), len(body)))
        connection.data_received(body)
        await until(wire.answered)
        await until(lambda: len(asyncio.all_tasks()) == 1)
        kept = [each for each in gc.get_objects() if isinstance(each, HttpRequest)]
        return kept, wire.answered()

    gc.collect()
    gc.disable()
    try:
        assert asyncio.run(exchange()) == ([], [status])
    finally:
        gc.enable()


def test_with_the_short_path_off_it_is_a_task_with_the_same_answer(make_state, request_):
    async def exchange():
        connection, wire = connected(make_state(short_path=False))
        connection.data_received(request_)
        tasks = len(asyncio.all_tasks())
        await until(wire.answered)
        return tasks, wire.answered()

    assert asyncio.run(exchange()) == (2, [200])


def test_one_that_is_not_whole_waits_and_takes_no_capacity(make_state, request_):
    async def exchange():
        state = make_state(max_concurrency=1)
        path = ChurnService(state).path
        halfway, pending = connected(state, path)
        halfway.data_received(request_[:-10])
        there, wire = connected(state, path)
        there.data_received(request_)
        await until(wire.answered)
        before = pending.answered(), state.in_flight
        halfway.data_received(request_[-10:])
        await until(pending.answered)
        return before, wire.answered(), pending.answered(), state.in_flight

    assert asyncio.run(exchange()) == (([], 0), [200], [200], 0)


def test_a_caller_who_reads_too_slowly_is_waited_for(state, request_):
    async def exchange():
        connection, wire = connected(state)
        connection.pause_writing()
        connection.data_received(request_)
        await asyncio.sleep(0.01)
        before = wire.answered()
        connection.resume_writing()
        await until(wire.answered)
        return before, wire.answered()

    assert asyncio.run(exchange()) == ([], [200])


def test_a_request_that_has_begun_is_answered_before_the_server_closes(state, request_):
    async def exchange():
        connection, wire = connected(state)
        connection.data_received(request_[:30])
        connection.shutdown()
        idle, silent = connected(state)
        idle.shutdown()
        before = wire.closed
        connection.data_received(request_[30:])
        await until(wire.answered)
        return silent.closed, before, wire.answered(), wire.closed

    assert asyncio.run(exchange()) == (True, False, [200], True)


@pytest.mark.parametrize("url", [b"/v1/score", b"/v1/score?", b"/v1/explain", b"/livez?"])
def test_nothing_more_is_read_from_a_caller_who_sends_ahead_before_the_answers_are_out(
    state, request_, url
):
    async def exchange():
        connection, wire = connected(state)
        connection.data_received(request_.replace(b"/v1/score", url) * 10)
        connection.data_received(b"\r\n")
        reading = [(0, wire.reading)]
        while len(wire.answered()) < 10:
            await asyncio.sleep(0)
            reading.append((len(wire.answered()), wire.reading))
        await until(lambda: wire.reading)
        return reading

    reading = asyncio.run(exchange())

    assert not any(goes_on for answered, goes_on in reading if answered < 10)


def test_a_caller_who_floods_keeps_no_other_waiting(state, request_):
    async def exchange():
        path = ChurnService(state).path
        flooding, flooded = connected(state, path)
        flooding.data_received(request_ * 1000)
        there, wire = connected(state, path)
        there.data_received(request_)
        await asyncio.sleep(0)
        return flooded.answered(), wire.answered()

    assert asyncio.run(exchange()) == ([200], [200])


def test_trailers_do_not_pass_for_headers(state, request_):
    _, _, body = request_.partition(b"\r\n\r\n")
    chunked = b"".join(
        (
            b"POST %b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n",
            b"%x\r\n%b\r\n0\r\nx-request-id: trailing\r\n\r\n" % (len(body), body),
        )
    )

    async def exchange(path):
        protocol, wire = connected(state)
        protocol.data_received(chunked.replace(b"%b", path))
        while not wire.answered():
            await asyncio.sleep(0)
        return wire.written

    for path in (b"/v1/score", b"/v1/score?"):
        written = asyncio.run(exchange(path))
        assert written.startswith(b"HTTP/1.1 200")
        assert b"trailing" not in written


@pytest.mark.parametrize("url", [b"/v1/score", b"/v1/score?", b"/v1/explain"])
def test_a_caller_who_sends_no_more_is_answered_and_then_the_connection_is_closed(
    state, request_, url
):
    async def exchange():
        connection, wire = connected(state)
        connection.data_received(request_.replace(b"/v1/score", url))
        keeps_open = connection.eof_received()
        await until(wire.answered)
        return keeps_open, wire.answered(), wire.closed

    assert asyncio.run(exchange()) == (True, [200], True)


@pytest.mark.parametrize("short", [True, False])
@pytest.mark.parametrize("rest", [b"", b"POST /v1/sc"])
def test_every_whole_request_before_the_callers_end_is_answered(make_state, request_, rest, short):
    async def exchange():
        connection, wire = connected(make_state(short_path=short))
        connection.data_received(request_ * 3 + rest)
        keeps_open = connection.eof_received()
        await until(lambda: wire.closed)
        return keeps_open, wire.answered(), b"connection: close" in wire.written

    assert asyncio.run(exchange()) == (True, [200, 200, 200], False)


def test_a_heads_time_begins_with_its_first_byte_and_no_later_byte_adds_to_it(state, request_):
    async def exchange():
        connection, wire = connected(state)
        connection.data_received(request_)
        await until(wire.answered)
        since = [connection.waiting_since]
        for byte in (b"P", b"O", b"S"):
            await asyncio.sleep(0.002)  # the loop's clock goes on
            connection.data_received(byte)
            since.append(connection.waiting_since)
        return since

    idle, first, second, third = asyncio.run(exchange())

    assert idle < first == second == third


def test_the_answer_before_a_close_survives_what_the_caller_sent_behind_it(state, request_):
    async def exchange():
        connection, wire = connected(state)
        request = request_.replace(b"host: a\r\n", b"host: a\r\nconnection: close\r\n")
        connection.data_received(request + request_)
        await until(wire.answered)
        for _ in range(3):  # read and thrown away
            connection.data_received(request_)
        return wire.answered(), wire.ended, wire.closed, wire.reading

    # Closed at once, or not read on, the kernel would reset the connection and the answer with it.
    assert asyncio.run(exchange()) == ([200], True, False, True)


def test_an_end_within_a_request_closes_the_connection(state, request_):
    async def exchange():
        connection, wire = connected(state)
        connection.data_received(request_[:-1])
        return connection.eof_received(), wire.answered()

    assert asyncio.run(exchange()) == (False, [])


def test_a_batch_holds_one_request_of_a_connection_and_the_others_follow(state, request_):
    async def exchange():
        connection, wire = connected(state)
        connection.data_received(request_ * 500)  # twice as many as are answered at once
        in_flight = state.in_flight
        await until(lambda: len(wire.answered()) == 500)
        return in_flight, set(wire.answered()), state.in_flight

    assert asyncio.run(exchange()) == (1, {200}, 0)


@pytest.mark.parametrize("url", [b"/v1/score", b"/v1/explain"])
def test_a_caller_who_is_gone_gets_nothing_and_the_others_theirs(state, request_, url):
    async def exchange():
        path = ChurnService(state).path
        gone, dead = connected(state, path)
        gone.data_received(request_.replace(b"/v1/score", url))
        dead.closed = True
        gone.connection_lost(None)
        there, wire = connected(state, path)
        there.data_received(request_)
        await until(wire.answered)
        await until(lambda: state.in_flight == 0)
        return dead.answered(), wire.answered()

    assert asyncio.run(exchange()) == ([], [200])


def test_the_smallest_chunks_keep_no_other_waiting(state):
    async def exchange():
        connection, wire = connected(state)
        head = b"POST /v1/explain HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
        connection.data_received(head + b"1\r\n \r\n" * 5000 + b"0\r\n\r\n")
        at_once = connection.is_answering
        await until(wire.answered)
        return at_once, wire.answered()

    assert asyncio.run(exchange()) == (False, [400])


def test_a_request_has_the_headers_that_came_with_it_and_no_others(make_state, request_):
    key, digest = new_key()
    keyed = request_.replace(b"host: a", b"host: a\r\nx-api-key: " + key.encode())

    async def exchange():
        connection, wire = connected(make_state(api_keys=(digest,)))
        connection.data_received(keyed + request_ + keyed)
        await until(lambda: len(wire.answered()) == 3)
        return wire.answered()

    assert asyncio.run(exchange()) == [200, 401, 200]


@pytest.mark.parametrize(("more", "statuses"), [(0, []), (1, [413])])
def test_a_body_beyond_the_limit_is_refused_by_its_length_before_it_is_sent(state, more, statuses):
    size = state.settings.max_body_bytes + more

    async def exchange():
        connection, wire = connected(state)
        connection.data_received(
            b"POST /v1/score HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % size
        )
        return wire.answered()

    assert asyncio.run(exchange()) == statuses


def test_a_connection_is_not_read_while_its_request_is_answered(state, request_):
    async def exchange():
        connection, wire = connected(state)
        connection.data_received(request_)
        connection.data_received(request_)
        reading = wire.reading
        await until(lambda: len(wire.answered()) == 2)
        await until(lambda: wire.reading)
        return reading, wire.answered()

    assert asyncio.run(exchange()) == (False, [200, 200])
