"""The faster client does what the other does: the same messages, one effect, the same refusals."""

import json

import pytest
from confluent_kafka import KafkaError
from kafka.protocol.producer import (
    AddPartitionsToTxnResponse,
    InitProducerIdResponse,
    TxnOffsetCommitResponse,
)
from worker_process import wait_until, working

from churn.ledger.predictions import PredictionLedger
from service.stream.confluent_session import ConfluentSession
from service.stream.message_scoring import ScoredBatch
from service.stream.messages import Rejection
from service.stream.session import PermanentError, SessionError
from service.stream.stream_settings import StreamSettings
from tests.servers.kafka_proxy import refuse_messages
from tests.servers.process import free_port


@pytest.fixture
def stream(settings):
    names = ("kafka_servers", "group", "input_topic", "output_topic", "dead_letter_topic")
    return StreamSettings(session_seconds=6, **{name: settings[name] for name in names})


@pytest.fixture
def opened():
    sessions = []

    def open_session(settings):
        sessions.append(ConfluentSession(settings))
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.close()


def read(session, count):
    messages = []
    wait_until(lambda: messages.extend(session.poll(0.5)) or len(messages) >= count)
    return messages


def rejected(messages):
    return ScoredBatch(rejected=[(each, Rejection("empty", "Why.")) for each in messages])


def test_a_worker_that_is_killed_leaves_nothing_of_its_batch(stream, opened, outside):
    outside.send([b"1", b"2", b"3"])
    named = stream.model_copy(update={"instance": "worker-1"})
    first = opened(named)
    messages = read(first, 3)
    first.send(rejected(messages))
    before = outside.read("dead_letter", 0)

    second = opened(named)  # under the same name, as after a restart
    again = read(second, 3)
    waiting = second.count_waiting()
    second.send(rejected(again))
    committed = second.commit()

    assert before == []
    assert [each.prediction_id for each in again] == [each.prediction_id for each in messages]
    assert [(each.key, each.value, each.headers) for each in again] == [
        (b"?", value, ()) for value in (b"1", b"2", b"3")
    ]
    assert (waiting, committed, second.count_waiting()) == (3, True, 0)
    assert len(outside.read("dead_letter", 3)) == 3
    assert outside.committed(stream.group) == 3
    with pytest.raises(SessionError):
        first.commit()


def test_a_commit_of_a_member_of_before_is_refused_and_leaves_nothing(
    proxy, stream, opened, outside
):
    def refuse(response):
        for topic in response.topics:
            for each in topic.partitions:
                each.error_code = 22

    outside.send([b"1"])
    session = opened(stream.model_copy(update={"kafka_servers": (proxy.address,)}))
    messages = read(session, 1)
    session.send(rejected(messages))
    proxy.changes = {TxnOffsetCommitResponse: refuse}
    refused = session.commit()
    proxy.changes = {}

    assert refused is False
    assert outside.read("dead_letter", 0) == []
    assert outside.committed(stream.group) == 0


@pytest.mark.parametrize(
    ("code", "error"), [(53, PermanentError), (90, SessionError)], ids=["no right", "fenced"]
)
@pytest.mark.parametrize("count", [1, 5])
def test_what_ends_the_producer_while_a_batch_is_written_is_an_error_of_the_session(
    proxy, stream, opened, outside, code, error, count
):
    """The client raises it where it waits for the messages, and through their callbacks."""

    def refuse(response):
        for topic in response.results_by_topic_v3_and_below:
            for each in topic.results_by_partition:
                each.partition_error_code = code

    outside.send([b"1"] * count)
    session = opened(stream.model_copy(update={"kafka_servers": (proxy.address,)}))
    messages = read(session, count)
    proxy.changes = {AddPartitionsToTxnResponse: refuse}

    with pytest.raises(error):
        session.send(rejected(messages))

    assert outside.read("dead_letter", 0) == []
    assert outside.committed(stream.group) == 0


def test_a_message_of_a_partition_that_is_gone_before_the_batch_is_read_is_left_to_its_new_worker(
    stream, opened, outside, monkeypatch
):
    outside.send([b"1"])
    session = opened(stream)
    client = session._consumer

    class Rebalancing:
        def __getattr__(self, name):
            return getattr(client, name)

        def consume(self, *_):
            session._note_revoked(client, [])
            return []

    monkeypatch.setattr(session, "_consumer", Rebalancing())
    wait_until(lambda: session.poll(0.5) or session._revoked)

    assert session._read == {}


def test_a_commit_is_of_the_member_that_read(stream, opened, outside, monkeypatch):
    outside.send([b"1"])
    session = opened(stream)
    read(session, 1)
    client, before = session._consumer, session._consumer.consumer_group_metadata()
    members = []

    class Thrown:  # out of the group meanwhile: Kafka takes offsets unchecked from no member
        def __getattr__(self, name):
            return getattr(client, name)

        def consumer_group_metadata(self):
            return None

    class Producer:
        def send_offsets_to_transaction(self, _offsets, member, _seconds):
            members.append(member)

        def __getattr__(self, _):
            return lambda *_: None

    monkeypatch.setattr(session, "_consumer", Thrown())
    monkeypatch.setattr(session, "_producer", Producer())

    assert session.commit() is True
    assert members == [before]
    session._member = None
    assert session.commit() is False
    assert members == [before]


def test_without_the_right_to_transactions_it_writes_at_least_once_and_says_so(
    proxy, stream, opened, capsys
):
    def refuse(response):
        response.error_code = 53

    proxy.changes = {InitProducerIdResponse: refuse}
    session = opened(stream.model_copy(update={"kafka_servers": (proxy.address,)}))

    assert session._transactional is False
    assert '"event": "no_transactions"' in capsys.readouterr().err


def test_a_message_that_the_brokers_refuse_is_named_by_what_it_was_read_from(
    proxy, stream, opened, outside
):
    outside.send([b"1"])
    session = opened(stream.model_copy(update={"kafka_servers": (proxy.address,)}))
    messages = read(session, 1)
    proxy.answers = refuse_messages(stream.dead_letter_topic, 10)

    with pytest.raises(PermanentError, match=stream.dead_letter_topic) as caught:
        session.send(rejected(messages))

    assert caught.value.place["topic"] == stream.input_topic
    assert caught.value.place["offset"] == 0


def test_no_broker_passes_and_a_topic_that_is_not_there_does_not(stream, opened):
    with pytest.raises(SessionError, match="No broker answers at"):
        opened(stream.model_copy(update={"kafka_servers": (f"127.0.0.1:{free_port()}",)}))
    with pytest.raises(PermanentError, match="does not exist"):
        opened(stream.model_copy(update={"input_topic": "nowhere"}))


def test_one_broker_of_several_that_is_away_ends_no_session_and_all_of_them_do(
    stream, opened, outside
):
    session = opened(stream)
    one, every = KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN

    session._note(KafkaError(one, "broker 2: Connection refused"))
    outside.send([b"1"])
    messages = session.poll(0) or read(session, 1)
    session._note(KafkaError(one, "broker 2: Connection refused"))
    session._note(KafkaError(every, "3/3 brokers are down"))

    assert len(messages) == 1
    with pytest.raises(SessionError, match="broker 2: Connection refused"):
        session.count_waiting()


def test_the_worker_gives_the_same_bits(settings, outside, customers, scorers):
    some = customers[:300]
    outside.send([*some, b"none"])

    with working(settings, transport="confluent") as worker:
        answers = outside.read("output", len(some))
        letters = outside.read("dead_letter", 1)
        wait_until(lambda: worker.ready()["ready"], worker.ready)
        code = worker.stop()

    found = {each.key.decode(): json.loads(each.value) for each in answers}
    assert code == 0
    assert len(letters) == 1
    assert len(answers) == len(some)
    assert {name: each["probability"] for name, each in found.items()} == {
        row["customerID"]: scorers["1"].score_one(row).probability for row in some
    }
    kept = PredictionLedger(settings["ledger"]).predictions()
    assert {k.prediction_id for k in kept} == {a["prediction_id"] for a in found.values()}
    assert outside.committed(settings["group"]) == len(some) + 1
