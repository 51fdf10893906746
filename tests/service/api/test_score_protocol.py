"""One connection: when a request goes uvicorn's way, and what is answered before it is closed."""

import asyncio
import json

import pytest
import uvicorn
from uvicorn.server import ServerState

from service.api.application import ChurnService
from service.api.fast_path.request_batcher import RequestBatcher
from service.api.fast_path.score_protocol import bind_protocol
from service.api.service_settings import ServiceSettings
from service.api.worker_state import WorkerState
from tests.servers.published import customers, published_store, trained

__all__ = ["customers", "published_store", "trained"]
IDLE = 5


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

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True

    def answered(self):
        """Statuses so far."""
        return [int(part[:3]) for part in self.written.split(b"HTTP/1.1 ")[1:]]


@pytest.fixture
def state(published_store, tmp_path):
    return WorkerState(ServiceSettings(store=str(published_store), ledger="none"), tmp_path)


@pytest.fixture
def request_(customers):
    body = json.dumps(customers[0]).encode()
    return b"POST /v1/score HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


class Clock:
    """The running event loop with a clock that the test moves."""

    def __init__(self):
        self.now = 100.0
        self.waiting = []
        self.call_soon = asyncio.get_running_loop().call_soon
        self.create_task = asyncio.get_running_loop().create_task

    def time(self):
        return self.now

    def call_later(self, seconds, work):
        timer = asyncio.TimerHandle(self.now + seconds, work, (), asyncio.get_running_loop())
        self.waiting.append(timer)
        return timer

    def passes(self, seconds):
        self.now += seconds
        due = [timer for timer in self.waiting if timer.when() <= self.now]
        self.waiting = [timer for timer in self.waiting if timer.when() > self.now]
        for timer in due:
            if not timer.cancelled():
                timer._run()


def connected(state, loop=None, batcher=None):
    """A connection, as uvicorn makes it; with a batcher of its own unless one is given."""
    config = uvicorn.Config(
        ChurnService(state),
        http=bind_protocol(batcher or RequestBatcher(state)),
        log_config=None,
        timeout_keep_alive=IDLE,
    )
    config.load()
    protocol = config.http_protocol_class(
        config=config, server_state=ServerState(), app_state={}, _loop=loop
    )
    wire = Wire()
    protocol.connection_made(wire)
    return protocol, wire


def test_a_whole_request_is_answered_in_the_same_pass_of_the_loop_and_makes_no_task(
    state, request_
):
    async def exchange():
        protocol, wire = connected(state)
        protocol.data_received(request_)
        tasks = len(protocol.server_state.tasks)
        await asyncio.sleep(0)
        return tasks, wire.answered(), protocol.server_state.total_requests

    assert asyncio.run(exchange()) == (0, [200], 1)


def test_one_that_is_not_whole_becomes_a_task_and_waits(state, request_):
    async def exchange():
        protocol, wire = connected(state)
        protocol.data_received(request_[:-10])
        tasks = len(protocol.server_state.tasks)
        await asyncio.sleep(0.01)
        before = wire.answered()
        protocol.data_received(request_[-10:])
        await asyncio.gather(*protocol.server_state.tasks)
        return tasks, before, wire.answered()

    assert asyncio.run(exchange()) == (1, [], [200])


def test_a_caller_who_reads_too_slowly_is_waited_for(state, request_):
    async def exchange():
        protocol, wire = connected(state)
        protocol.pause_writing()
        protocol.data_received(request_)
        await asyncio.sleep(0.05)
        before = wire.answered()
        protocol.resume_writing()
        await asyncio.gather(*protocol.server_state.tasks)
        return before, wire.answered()

    assert asyncio.run(exchange()) == ([], [200])


def test_what_is_in_the_batch_is_answered_before_the_connection_ends(state, request_):
    async def exchange():
        protocol, wire = connected(state)
        protocol.data_received(request_)
        before = wire.answered()
        protocol.shutdown()
        return before, wire.answered(), wire.closed

    assert asyncio.run(exchange()) == ([], [200], True)


def test_nothing_more_is_read_from_a_caller_who_sends_ahead_before_the_answers_are_out(
    state, request_
):
    async def exchange():
        protocol, wire = connected(state)
        protocol.data_received(request_ * 10)
        reading = []
        while len(wire.answered()) < 10:
            await asyncio.sleep(0)
            reading.append((len(wire.answered()), wire.reading))
        return reading, wire.reading

    reading, afterwards = asyncio.run(exchange())

    assert not any(goes_on for answered, goes_on in reading if answered < 9)
    assert afterwards


def test_a_caller_who_floods_keeps_no_other_waiting(state, request_):
    async def exchange():
        batcher = RequestBatcher(state)
        flooding, flooded = connected(state, batcher=batcher)
        for _ in range(50):
            flooding.data_received(request_ * 20)
        there, wire = connected(state, batcher=batcher)
        there.data_received(request_)
        await asyncio.sleep(0)
        return len(flooded.answered()), wire.answered()

    flooded, others = asyncio.run(exchange())

    assert flooded <= 2  # the batch's, and the first of those that go uvicorn's way
    assert others == [200]


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


def test_a_caller_who_sends_no_more_is_answered_before_the_transport_closes(state, request_):
    async def exchange():
        protocol, wire = connected(state)
        protocol.data_received(request_)
        keeps_open = protocol.eof_received()
        return wire.answered(), bool(keeps_open)

    assert asyncio.run(exchange()) == ([200], False)


def test_a_batch_holds_one_request_of_a_connection_and_the_others_follow(state, request_):
    async def exchange():
        protocol, wire = connected(state)
        protocol.data_received(request_ * 500)  # twice as many as are answered at once
        tasks = len(protocol.server_state.tasks)
        while len(wire.answered()) < 500:
            await asyncio.sleep(0)
        return tasks, set(wire.answered())

    assert asyncio.run(exchange()) == (1, {200})


def test_a_caller_who_is_gone_gets_nothing_and_the_others_theirs(state, request_):
    async def exchange():
        gone, dead = connected(state)
        gone.data_received(request_)
        gone.connection_lost(None)
        there, wire = connected(state)
        there.data_received(request_)
        await asyncio.sleep(0)
        return dead.answered(), wire.answered()

    assert asyncio.run(exchange()) == ([], [200])


def test_a_connection_whose_next_request_is_still_coming_is_not_closed(state, request_):
    async def exchange():
        loop = Clock()
        protocol, wire = connected(state, loop)
        protocol.data_received(request_ + request_.replace(b"/v1/score", b"/v1/explain")[:-5])
        await asyncio.sleep(0)
        first = wire.answered()
        loop.passes(IDLE + 1)
        closed = wire.closed
        protocol.data_received(request_[-5:])
        await asyncio.gather(*protocol.server_state.tasks)
        answered = wire.answered()
        loop.passes(IDLE)
        return first, closed, answered, wire.closed

    assert asyncio.run(exchange()) == ([200], False, [200, 200], True)


def test_a_silent_connection_is_closed_and_a_used_one_stays(state, request_):
    async def exchange():
        loop = Clock()
        silent, quiet = connected(state, loop)
        used, busy = connected(state, loop)
        halfway, pending = connected(state, loop)
        for protocol in (silent, used, halfway):
            protocol.data_received(request_)
        await asyncio.sleep(0)
        halfway.data_received(request_[:40])
        loop.passes(IDLE - 1)
        used.data_received(request_)
        await asyncio.sleep(0)
        loop.passes(1)
        after = [quiet.closed, busy.closed, pending.closed]
        loop.passes(IDLE - 1)
        halfway.data_received(request_[40:])
        await asyncio.sleep(0)
        loop.passes(IDLE - 1)
        later = [busy.closed, pending.closed]
        loop.passes(1)
        return after, later, pending.closed, loop.waiting

    # The used one goes five seconds after its last answer, as does the one that took its time.
    assert asyncio.run(exchange()) == ([True, False, False], [True, False], True, [])
