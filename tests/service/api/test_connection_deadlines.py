"""How long a caller is waited for, and who goes if there are too many."""

import asyncio

from service.api.application import ChurnService
from tests.servers.published import customers, published_store, trained
from tests.service.api.test_http_connection import connected, make_state, request_, state, until

__all__ = ["customers", "make_state", "published_store", "request_", "state", "trained"]


def passes(connection, seconds):
    """What the regular check does when the caller was waited for so long."""
    connection.expire(connection.waiting_since + seconds)


def test_a_silent_connection_is_closed_and_a_byte_does_not_change_that(state, request_):
    async def exchange():
        connection, wire = connected(state)
        connection.data_received(request_)
        await until(wire.answered)
        connection.data_received(b"P")
        passes(connection, 9.9)
        before = wire.answered()
        passes(connection, 10.1)
        return before, wire.answered()

    assert asyncio.run(exchange()) == ([200], [200, 408])


def test_deadlines_begin_with_what_is_waited_for(state, request_):
    async def exchange():
        seen = []
        for sent, seconds in ((b"", 10), (request_[:20], 10), (request_[:-5], 30), (request_, 5)):
            connection, wire = connected(state)
            connection.data_received(sent)
            if sent is request_:
                await until(wire.answered)
            passes(connection, seconds - 0.1)
            before = wire.closed or wire.answered()[-1:] == [408]
            passes(connection, seconds + 0.1)
            seen.append((before, wire.closed, wire.answered()))
        return seen

    assert asyncio.run(exchange()) == [
        (False, True, []), (False, False, [408]), (False, False, [408]), (False, True, [200])
    ]  # fmt: skip


def test_a_request_that_is_being_answered_has_no_deadline(make_state, request_):
    async def exchange():
        connection, wire = connected(make_state(short_path=False))
        connection.data_received(request_)
        connection.expire(asyncio.get_running_loop().time() + 1e6)
        await until(wire.answered)
        return wire.answered()

    assert asyncio.run(exchange()) == [200]


def test_a_caller_who_takes_no_answer_is_dropped(state, request_):
    async def exchange():
        connection, wire = connected(state)
        connection.data_received(request_)
        connection.pause_writing()
        passes(connection, 29.9)
        before = wire.closed
        passes(connection, 30.1)
        return before, wire.closed

    assert asyncio.run(exchange()) == (False, True)


def test_beyond_the_limit_the_connection_that_was_waited_for_longest_goes(make_state, request_):
    async def exchange():
        state = make_state(max_connections=3)
        path = ChurnService(state).path
        connections = []
        for place in range(3):
            connections.append(connected(state, path))
            connections[-1][0].waiting_since += place - 3
        connections[0][0].data_received(request_)  # is being answered, so it stays
        connections.append(connected(state, path))
        return [wire.closed for _, wire in connections]

    assert asyncio.run(exchange()) == [False, True, False, False]


def test_beyond_the_limit_a_new_connection_is_closed_if_all_others_are_answered(
    make_state, request_
):
    async def exchange():
        state = make_state(max_connections=1, short_path=False)
        path = ChurnService(state).path
        connection, answered = connected(state, path)
        connection.data_received(request_)
        _, wire = connected(state, path)
        await until(answered.answered)
        return wire.closed, answered.answered()

    assert asyncio.run(exchange()) == (True, [200])


def test_a_connection_at_fault_keeps_no_other_from_its_deadline(make_state, monkeypatch):
    async def exchange():
        state = make_state(head_seconds=0.1)
        path = ChurnService(state).path
        connections = [connected(state, path) for _ in range(3)]
        for connection, _ in connections:
            connection.waiting_since -= 1
        monkeypatch.setattr(connections[1][0], "expire", lambda _now: 1 / 0)
        path.end_slow_connections()
        return [wire.closed for _, wire in connections]

    assert asyncio.run(exchange()) == [True, True, True]


def closing(request):
    return request.replace(b"host: a\r\n", b"host: a\r\nconnection: close\r\n")


def test_who_sends_on_after_the_last_answer_is_dropped(state, request_):
    async def exchange():
        connection, wire = connected(state)
        connection.data_received(closing(request_) + request_)
        await until(wire.answered)
        passes(connection, 1.9)
        before = wire.closed
        passes(connection, 2.1)
        return before, wire.closed

    assert asyncio.run(exchange()) == (False, True)


def test_a_last_answer_that_nobody_takes_is_dropped(state, request_):
    async def exchange():
        connection, wire = connected(state)
        dropped = []
        wire.abort = lambda: dropped.append(True)
        connection.data_received(closing(request_))
        await until(lambda: wire.closed)
        passes(connection, 29.9)
        before = list(dropped)
        passes(connection, 30.1)
        return before, dropped

    assert asyncio.run(exchange()) == ([], [True])


def test_who_has_caught_up_is_no_longer_waited_for(make_state, request_):
    async def exchange():
        connection, wire = connected(make_state(short_path=False))
        connection.data_received(request_)
        connection.pause_writing()
        connection.resume_writing()
        connection.expire(asyncio.get_running_loop().time() + 1e6)
        await until(wire.answered)
        return wire.answered()

    assert asyncio.run(exchange()) == [200]


def test_a_connection_that_is_gone_does_not_count(make_state):
    async def exchange():
        state = make_state(max_connections=2)
        path = ChurnService(state).path
        (_, stays), (gone, _) = connected(state, path), connected(state, path)
        gone.connection_lost(None)
        _, fresh = connected(state, path)
        return stays.closed, fresh.closed

    assert asyncio.run(exchange()) == (False, False)
