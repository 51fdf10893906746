"""Redis Streams as the transport, on a real Redis: each entry has one effect, whoever claims it."""

import json
from datetime import UTC, datetime

import pytest
from worker_process import starting, wait_until, working

from churn.ledger.predictions import PredictionLedger
from service.core.score_answer import ScoreAnswer
from service.stream.message_scoring import ScoredBatch, ScoredMessage
from service.stream.messages import Rejection, parse_event
from service.stream.session import PermanentError, SessionError
from tests.servers.process import free_port


@pytest.fixture
def opened(redis_sessions):
    return redis_sessions


def rejected(messages):
    return ScoredBatch(rejected=[(each, Rejection("empty", "Why.")) for each in messages])


def add(redis, streams, *values, **headers):
    return [
        redis.xadd(streams["input_topic"], {"value": each, **headers}).decode() for each in values
    ]


def written(redis, streams, kind="dead_letter"):
    return [fields for _, fields in redis.xrange(streams[f"{kind}_topic"])]


def finish(session, messages):
    session.send(rejected(messages))
    return session.commit()


def test_entries_are_read_in_their_order_written_and_done_together(redis, streams, opened):
    ids = add(redis, streams, b"1", b"2", key=b"k", trace=b"\xff")
    session = opened("one")

    messages = session.poll(0.1)
    waiting = session.count_waiting()
    before = written(redis, streams)
    done = finish(session, messages)

    assert [(m.value, m.key, m.headers, m.offset) for m in messages] == [
        (b"1", b"k", (("trace", b"\xff"),), ids[0]), (b"2", b"k", (("trace", b"\xff"),), ids[1]),
    ]  # fmt: skip
    assert messages[0].timestamp == int(ids[0].split("-")[0])
    assert len({m.prediction_id for m in messages}) == 2
    assert (before, done, waiting, session.count_waiting()) == ([], True, 2, 0)
    letters = written(redis, streams)
    assert [each[b"value"] for each in letters] == [b"1", b"2"]
    assert {each[b"trace"] for each in letters} == {b"\xff"}
    assert [each[b"churn-offset"].decode() for each in letters] == ids
    assert session.poll(0.01) == []


def test_an_entry_without_a_value_is_a_tombstone(redis, streams, opened):
    redis.xadd(streams["input_topic"], {"key": b"k"})

    (message,) = opened("one").poll(0.1)

    assert (message.key, message.value) == (b"k", None)


def test_a_worker_that_was_killed_goes_on_with_its_own_entries_first(redis, streams, opened):
    add(redis, streams, b"1", b"2")
    opened("one").poll(0.1)  # and no more
    add(redis, streams, b"3")

    again = opened("one")
    first = again.poll(0.1)
    finish(again, first)
    rest = again.poll(0.1)
    finish(again, rest)

    assert [m.value for m in first] == [b"1", b"2"]
    assert [m.value for m in rest] == [b"3"]
    assert len(written(redis, streams)) == 3


def test_entries_of_a_silent_worker_are_claimed_and_its_own_commit_is_refused(
    redis, streams, opened
):
    ids = add(redis, streams, b"1", b"2")
    silent, other = opened("silent"), opened("other")
    held = silent.poll(0.1)
    none = other.poll(0.01)
    # As if it had been silent for long.
    redis.xclaim(streams["input_topic"], streams["group"], "silent", 0, ids, idle=6_000)
    other._claimed_at = 0.0
    claimed = other.poll(0.01)
    late = finish(silent, held)
    done = finish(other, claimed)

    assert none == []
    assert [m.offset for m in claimed] == ids
    assert [m.prediction_id for m in claimed] == [m.prediction_id for m in held]
    assert (late, done) == (False, True)
    assert [each[b"value"] for each in written(redis, streams)] == [b"1", b"2"]
    assert silent.poll(0.01) == []


def test_entries_of_a_worker_that_is_only_slow_are_not_claimed(redis, streams, opened):
    ids = add(redis, streams, b"1")
    slow, other = opened("slow"), opened("other")
    held = slow.poll(0.1)
    redis.xclaim(streams["input_topic"], streams["group"], "slow", 0, ids, idle=5_000)

    claimed = other.poll(0.01)

    assert claimed == []
    assert finish(slow, held)


def test_a_stream_that_is_too_long_loses_only_what_every_group_has_done(redis, streams, opened):
    with redis.pipeline() as pipe:
        for number in range(3000):
            pipe.xadd(streams["input_topic"], {"value": str(number)})
        pipe.execute()
    redis.xgroup_create(streams["input_topic"], "others", id="0")
    session = opened("one", batch_messages=2500, stream_max_length=1000)
    finish(session, session.poll(0.1))

    session._trim()
    kept_for_others = redis.xlen(streams["input_topic"])
    redis.xgroup_setid(streams["input_topic"], "others", "$")
    session._trim()
    left = session.poll(0.1)

    assert kept_for_others == 3000
    assert 1000 <= redis.xlen(streams["input_topic"]) < 1300
    assert [m.value for m in left] == [str(number).encode() for number in range(2500, 3000)]


def test_what_the_worker_writes_is_trimmed_to_its_length(redis, streams, opened):
    session = opened("one", stream_max_length=1000, batch_messages=5000)
    add(redis, streams, *[b"x"] * 3000)

    finish(session, session.poll(0.1))

    assert 1000 <= redis.xlen(streams["dead_letter_topic"]) < 1200


@pytest.mark.parametrize(
    ("address", "error", "why"),
    [
        ("redis://127.0.0.1:{port}/0", SessionError, "Start Redis, or set CHURN_STREAM_REDIS"),
        ("redis://:wrong-word@{server}/0", PermanentError, "Check user, password and rights"),
        ("redis://{server}/0", PermanentError, "Check user, password and rights"),
    ],
)
def test_a_redis_that_does_not_answer_passes_and_one_that_refuses_does_not(
    running_redis, opened, address, error, why
):
    server = running_redis.partition("@")[2].removesuffix("/0")

    with pytest.raises(error, match=why) as caught:
        opened("one", stream_redis=address.format(port=free_port(), server=server))

    assert "wrong-word" not in str(caught.value)


def test_a_key_that_is_no_stream_is_named(redis, streams, opened):
    redis.set(streams["input_topic"], "text")

    with pytest.raises(PermanentError, match=streams["input_topic"]):
        opened("one")


def test_an_output_that_is_no_stream_leaves_everything_undone(redis, streams, opened):
    add(redis, streams, b"1")
    redis.set(streams["dead_letter_topic"], "text")
    session = opened("one")

    with pytest.raises(PermanentError, match="holds something else"):
        finish(session, session.poll(0.1))

    assert redis.xpending(streams["input_topic"], streams["group"])["pending"] == 1


@pytest.mark.parametrize("address", ["redis://:for/tests@host:6379/0", "redis://host/0?db=for"])
def test_an_address_that_cannot_be_read_is_a_sentence_without_its_password(opened, address):
    with pytest.raises(PermanentError, match="CHURN_STREAM_REDIS is not an address") as caught:
        opened("one", stream_redis=address)

    assert "for" not in str(caught.value)


def test_an_entry_of_very_many_fields_is_rejected_without_them(redis, streams, opened):
    many = {f"h{number}": "" for number in range(4000)}
    add(redis, streams, b"1")
    add(redis, streams, b"2", **many)
    session = opened("one")
    messages = session.poll(0.1)

    with pytest.raises(Rejection, match="4,000 headers; at most 1,000"):
        parse_event(messages[1], None, 10**6)
    done = finish(session, messages)

    assert done
    assert [each[b"value"] for each in written(redis, streams)] == [b"1", b""]


def test_scores_are_not_written_where_the_dead_letters_cannot_be(redis, streams, opened):
    add(redis, streams, b"1")
    redis.set(streams["dead_letter_topic"], "text")
    session = opened("one")
    (message,) = session.poll(0.1)
    answer = ScoreAnswer(message.prediction_id, 0.5, True, "high", "1")
    score = ScoredMessage(message, "c", answer, datetime.now(UTC))
    letters = rejected([message]).rejected

    session.send(ScoredBatch(scored=[score], rejected=letters))
    with pytest.raises(PermanentError, match="holds something else"):
        session.commit()

    assert redis.xlen(streams["output_topic"]) == 0


def test_what_waits_is_not_known_once_the_group_is_gone(redis, streams, opened):
    session = opened("one")
    redis.xgroup_destroy(streams["input_topic"], streams["group"])

    assert session.count_waiting() is None


def test_entries_that_are_removed_before_they_are_read_are_said(redis, streams, opened, capsys):
    ids = add(redis, streams, b"1", b"2", b"3", b"4")
    session = opened("one", batch_messages=1)
    session.count_waiting()
    before = session.count_lost()
    finish(session, session.poll(0.1))
    redis.xtrim(streams["input_topic"], minid=ids[3], approximate=False)

    lost = session.count_lost(), session.count_lost()
    (message,) = session.poll(0.1)
    finish(session, [message])

    assert message.value == b"4"
    assert (before, lost, session.count_lost()) == (0, (2, 0), 0)
    (line,) = [json.loads(each) for each in capsys.readouterr().err.splitlines()]
    assert (line["event"], line["messages"]) == ("start_lost", 2)


def read_and_trim(redis, streams, session, *, read, removed):
    """A session that reads so many entries, after which a producer removes so many."""
    assert read == sum(finish(session, session.poll(0.1)) for _ in range(read))
    first = redis.xrange(streams["input_topic"], count=removed + 1)[-1][0]
    redis.xtrim(streams["input_topic"], minid=first, approximate=False)


def test_a_loss_is_counted_once_whichever_session_asks_and_however_often(redis, streams, opened):
    add(redis, streams, *[b"x"] * 30)
    one, two = (opened(name, batch_messages=1) for name in ("one", "two"))

    read_and_trim(redis, streams, one, read=3, removed=10)
    first = one.count_lost(), two.count_lost(), one.count_waiting()
    read_and_trim(redis, streams, two, read=4, removed=4)
    none_new = opened("three").count_lost(), one.count_lost(), two.count_waiting()
    read_and_trim(redis, streams, one, read=1, removed=3)
    second = opened("four").count_lost(), one.count_lost(), two.count_waiting()

    assert (first, none_new, second) == ((7, 0, 20), (0, 0, 16 / 2), (2, 0, 7))


def test_a_loss_that_the_group_has_read_past_is_counted_no_more_than_once(redis, streams, opened):
    add(redis, streams, *[b"x"] * 30)
    session = opened("one", batch_messages=1)

    read_and_trim(redis, streams, session, read=3, removed=10)
    read_and_trim(redis, streams, session, read=5, removed=0)
    early = session.count_lost()
    read_and_trim(redis, streams, session, read=1, removed=6)

    assert early + session.count_lost() in {0, 7}  # newer servers forget it


def test_a_new_group_has_lost_nothing_of_a_stream_that_was_trimmed_before(redis, streams, opened):
    ids = add(redis, streams, b"1", b"2", b"3", b"4")
    redis.xtrim(streams["input_topic"], minid=ids[2], approximate=False)
    session = opened("one", batch_messages=1)

    before = session.count_lost()
    finish(session, session.poll(0.1))

    assert (before, session.count_lost()) == (0, 0)


def test_counting_what_is_lost_gives_no_entry_out_again(redis, streams, opened):
    add(redis, streams, *[b"x"] * 4)
    one, two = (opened(name, batch_messages=1) for name in ("one", "two"))
    (held,) = one.poll(0.1)
    redis.xtrim(streams["input_topic"], maxlen=2, approximate=False)

    lost = two.count_lost()
    read = [two.poll(0.1)[0].offset for _ in range(2)]

    assert lost == 1
    assert held.offset not in read
    assert two.poll(0.01) == []


def test_entries_that_are_removed_once_they_are_done_are_not_lost(redis, streams, opened):
    ids = add(redis, streams, b"1", b"2")
    session = opened("one")
    finish(session, session.poll(0.1))
    redis.xdel(streams["input_topic"], ids[0])
    redis.xtrim(streams["input_topic"], maxlen=0)

    assert session.count_lost() == 0


def test_a_worker_that_is_killed_between_its_steps_has_one_effect_in_all_places(
    redis, streams, store, customers, scorers, tmp_path
):
    settings = streams | {
        "store": store,
        "ledger": f"sqlite:///{tmp_path / 'ledger.db'}",
        "port": 0,
    }
    some = customers[:300]
    with redis.pipeline() as pipe:
        for row in some:
            pipe.xadd(streams["input_topic"], {"key": row["customerID"], "value": json.dumps(row)})
        pipe.xadd(streams["input_topic"], {"value": "none"})
        pipe.execute()

    with starting(settings | {"instance": "one", "batch_messages": 10}) as worker:
        wait_until(lambda: redis.xlen(streams["output_topic"]) >= 30)
        worker.process.kill()
        worker.process.wait()
    killed_at = redis.xlen(streams["output_topic"])
    with working(settings | {"instance": "one", "redis": streams["stream_redis"]}) as worker:
        wait_until(lambda: redis.xlen(streams["dead_letter_topic"]) == 1, worker.ready)
        wait_until(lambda: worker.ready()["ready"], worker.ready)
        code = worker.stop()

    answers = [json.loads(fields[b"value"]) for fields in written(redis, streams, "output")]
    assert code == 0
    assert killed_at < len(some)
    assert [each["probability"] for each in answers] == [
        scorers["1"].score_one(row).probability for row in some
    ]
    assert len({each["prediction_id"] for each in answers}) == len(some)
    kept = PredictionLedger(settings["ledger"]).predictions()
    assert [(k.prediction_id, k.probability) for k in kept] == [
        (a["prediction_id"], a["probability"]) for a in answers
    ]
    last = redis.hgetall(f"churn:score:{some[-1]['customerID']}")
    assert last[b"prediction_id"].decode() == answers[-1]["prediction_id"]
    assert redis.xpending(streams["input_topic"], streams["group"])["pending"] == 0
    assert "for-tests" not in json.dumps(worker.lines)
