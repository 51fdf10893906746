"""The consumers of a group in Redis: they share what waits, and leave when they end."""

from __future__ import annotations

import time

import pytest

from service.stream import redis_session
from service.stream.session import SessionError


def add(redis, streams, number):
    for value in range(number):
        redis.xadd(streams["input_topic"], {"value": str(value)})


def consumers(redis, streams):
    found = redis.xinfo_consumers(streams["input_topic"], streams["group"])
    return {each["name"].decode() for each in found}


def shorten(session, seconds):
    """Makes a consumer count as silent after so long; settings allow no less than 6 seconds."""
    settings = session._settings.model_copy(update={"session_seconds": seconds})
    session._settings = settings


def test_each_worker_reports_its_share_of_what_waits_rounded_up(redis, streams, redis_sessions):
    add(redis, streams, 20)
    sessions = [redis_sessions(name, batch_messages=1) for name in ("one", "two", "three")]
    alone = sessions[0].count_waiting()
    for each in sessions:
        each.poll(0.1)

    assert (alone, [each.count_waiting() for each in sessions]) == (20, [7, 7, 7])


def test_a_worker_that_is_silent_has_a_share_only_while_it_holds_entries(
    redis, streams, redis_sessions
):
    add(redis, streams, 20)
    one, other = (redis_sessions(name, batch_messages=1) for name in ("one", "other"))
    shorten(one, 0.2)
    for each in (one, other):
        each.poll(0.1)
    time.sleep(0.3)
    holding = one.count_waiting()
    other.commit()
    time.sleep(0.3)

    assert (holding, one.count_waiting()) == (10, 19)


def test_a_worker_that_ends_leaves_the_group_unless_it_holds_entries(
    redis, streams, redis_sessions
):
    add(redis, streams, 2)
    for name, ends in (("done", True), ("holding", False)):
        session = redis_sessions(name, batch_messages=1)
        session.poll(0.1)
        if ends:
            session.commit()
        session.close()

    assert consumers(redis, streams) == {"holding"}
    assert redis.xpending(streams["input_topic"], streams["group"])["pending"] == 1


def test_with_a_worker_that_ends_those_go_that_have_been_idle_for_long(
    redis, streams, redis_sessions, monkeypatch
):
    assert redis_session._FORGOTTEN_SECONDS == 24 * 3600
    monkeypatch.setattr(redis_session, "_FORGOTTEN_SECONDS", 2)
    add(redis, streams, 1)
    for name in ("holding", "killed"):
        redis_sessions(name).poll(0.01)
    time.sleep(2.2)
    alive, ends = redis_sessions("alive"), redis_sessions("ends")
    for each in (alive, ends):
        each.poll(0.01)

    ends.close()

    assert consumers(redis, streams) == {"holding", "alive"}


def test_a_session_that_failed_is_closed_without_another_request(
    redis, streams, redis_sessions, monkeypatch
):
    session = redis_sessions("one")
    session.poll(0.01)
    redis.xgroup_destroy(streams["input_topic"], streams["group"])
    with pytest.raises(SessionError):
        session.poll(0.01)
    requests = []
    monkeypatch.setattr(session, "_leave_script", lambda *_: requests.append(1))

    session.close()

    assert requests == []
