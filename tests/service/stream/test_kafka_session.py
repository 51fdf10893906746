"""A session of Kafka: one effect of each message, what waits, and errors that pass."""

import json

import pytest
from kafka.errors import KafkaConnectionError, KafkaTimeoutError
from kafka.protocol.producer import InitProducerIdResponse
from kafka_batches import batch_of, read, rejected, with_checksum

from service.stream.message_scoring import ScoredBatch
from service.stream.session import SessionError


def test_a_worker_that_is_killed_leaves_nothing_of_its_batch(broker, stream, opened, outside):
    broker.write_batch(stream.input_topic, 0, with_checksum(batch_of(b"1")))
    named = stream.model_copy(update={"instance": "worker-1"})
    first = opened(named)
    messages = read(first, 1)
    first.send(rejected(messages))
    before = outside.read("dead_letter", 0)

    second = opened(named)  # under the same name, as after a restart
    again = read(second, 1)
    second.send(rejected(again))
    second.commit()

    assert before == []
    assert [each.prediction_id for each in again] == [each.prediction_id for each in messages]
    assert len(outside.read("dead_letter", 1)) == 1
    assert outside.committed(stream.group) == 1
    with pytest.raises(SessionError):
        first.commit()


def test_a_worker_that_left_the_group_commits_as_the_member_that_it_was(
    broker, stream, opened, monkeypatch
):
    broker.write_batch(stream.input_topic, 0, with_checksum(batch_of(b"1")))
    session = opened(stream)
    messages = read(session, 1)
    before = session._consumer.group_metadata()
    members = []
    monkeypatch.setattr(
        session._producer, "send_offsets_to_transaction", lambda _, member: members.append(member)
    )

    session._consumer._coordinator.reset_generation()  # as after five minutes without a poll
    session.send(rejected(messages))
    session.commit()

    # Kafka takes offsets of a transaction unchecked from whoever names no generation.
    assert [(each.generation_id, each.member_id) for each in members] == [
        (before.generation_id, before.member_id)
    ]


def test_a_worker_that_had_left_the_group_when_it_read_commits_nothing(
    broker, stream, opened, outside, monkeypatch
):
    broker.write_batch(stream.input_topic, 0, with_checksum(batch_of(b"1")))
    session = opened(stream)
    poll = session._consumer.poll

    def leaving(**options):
        polled = poll(**options)
        if polled:
            session._consumer._coordinator.reset_generation()
        return polled

    monkeypatch.setattr(session._consumer, "poll", leaving)
    messages = read(session, 1)
    session.send(rejected(messages))

    assert session.commit() is False
    assert outside.read("dead_letter", 0) == []
    assert outside.committed(stream.group) == 0


def test_without_the_right_to_transactions_it_writes_at_least_once_and_says_so(
    proxy, proxied, opened, capsys
):
    def refuse(response):
        response.error_code = 53

    proxy.changes = {InitProducerIdResponse: refuse}
    session = opened(proxied)

    assert session._transactional is False
    assert json.loads(capsys.readouterr().err)["event"] == "no_transactions"


def test_what_waits_are_messages_that_are_not_committed(broker, stream, opened):
    broker.write_batch(stream.input_topic, 0, with_checksum(batch_of(b"1", b"2", b"3")))
    session = opened(stream.model_copy(update={"batch_messages": 2}))
    before = session.count_waiting()
    messages = read(session, 2)
    held = session.count_waiting()
    session.send(ScoredBatch())
    session.commit()

    assert before == 0  # none is this worker's yet
    assert len(messages) == 2
    assert (held, session.count_waiting()) == (3, 1)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KafkaConnectionError("away"), "away"),
        # As while the group's offsets belong to a transaction that a killed worker left open.
        (KafkaTimeoutError(None), "The brokers did not answer in time."),
    ],
)
def test_an_error_that_passes_ends_the_session_and_not_the_worker(
    stream, opened, monkeypatch, error, reason
):
    session = opened(stream)

    def away(**_):
        raise error

    monkeypatch.setattr(session._consumer, "poll", away)

    with pytest.raises(SessionError, match=reason):
        session.poll(0.1)
