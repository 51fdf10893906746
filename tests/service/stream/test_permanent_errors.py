"""What no waiting mends ends the worker: with its place and a way out, and nothing is committed."""

import json

import pytest
from kafka import KafkaProducer
from kafka.protocol.consumer import FetchResponse, OffsetCommitResponse
from kafka.protocol.metadata import MetadataResponse
from kafka.protocol.producer import (
    ProduceRequest,
    TxnOffsetCommitResponse,
)
from kafka.protocol.sasl import (
    SaslAuthenticateRequest,
    SaslAuthenticateResponse,
    SaslHandshakeRequest,
    SaslHandshakeResponse,
)
from kafka_batches import ATTRIBUTES, LENGTH, batch_of, read, rejected, with_checksum
from worker_process import starting, wait_until, working

from service.stream import kafka_clients, kafka_session
from service.stream.message_scoring import ScoredBatch
from service.stream.session import PermanentError, SessionError
from service.stream.stream_settings import StreamSettings
from tests.servers.kafka_proxy import refuse_messages
from tests.servers.process import free_port

CODECS = ("gzip", "snappy", "lz4", "zstd")


@pytest.mark.parametrize("codec", CODECS)
def test_a_compressed_batch_is_read(broker, stream, opened, codec):
    producer = KafkaProducer(
        bootstrap_servers=broker.address, compression_type=codec, linger_ms=200
    )
    for number in range(20):
        value = b'{"same": "text"}' * 20 + str(number).encode()
        producer.send(stream.input_topic, value, key=b"k", partition=0, headers=[("h", b"1")])
    producer.close()

    messages = read(opened(stream), 20)

    assert [each.value[320:] for each in messages] == [str(n).encode() for n in range(20)]
    assert {(each.key, each.headers) for each in messages} == {(b"k", (("h", b"1"),))}


def unknown_codec():
    batch = batch_of(b"a", b"b")
    batch[ATTRIBUTES + 1] = 5
    return with_checksum(batch)


def not_compressed(codec):
    batch = batch_of(b"a", b"b")
    batch[ATTRIBUTES + 1] = codec
    return with_checksum(batch)


@pytest.mark.parametrize(
    ("batch", "why", "way_out"),
    [
        (unknown_codec(), "Unrecognized compression type: 5", "requirements-stream.lock"),
        (with_checksum(batch_of(b"a")[:-1] + b"\x07"), "headers", "--reset-offsets"),
        *((not_compressed(number), "", "--reset-offsets") for number in (1, 2, 3, 4)),
    ],
    ids=["codec", "record", *CODECS],
)
def test_a_batch_that_cannot_be_read_is_named_by_its_place(
    broker, proxy, proxied, opened, outside, batch, why, way_out
):
    """No broker should give such a batch, and Kafka takes none from a producer."""
    for _ in range(2):
        broker.write_batch(proxied.input_topic, 1, with_checksum(batch_of(b"1", b"2", b"3")))
    broker.write_batch(proxied.input_topic, 2, with_checksum(batch_of(b"4")))
    session = opened(proxied)
    read(session, 7)
    session.send(ScoredBatch())
    session.commit()

    def replace_batch(response):
        for part in (each for topic in response.responses for each in topic.partitions):
            if part.partition_index == 1 and part.records:
                part.records = part.records[:LENGTH] + batch[LENGTH:]

    proxy.changes = {FetchResponse: replace_batch}
    broker.write_batch(proxied.input_topic, 1, with_checksum(batch_of(b"a", b"b")))

    with pytest.raises(PermanentError, match="Messages cannot be read: ") as caught:
        wait_until(lambda: session.poll(0.5) is None)

    assert caught.value.place == {"topic": proxied.input_topic, "partition": 1, "offset": 6}
    assert why in str(caught.value)
    assert way_out in str(caught.value)
    assert caught.value.exit_code == 1
    assert outside.committed(proxied.group) == 7


def damage(part):
    part.records = bytes(part.records[:-1]) + b"\x07"


def forbid(part):
    part.error_code, part.records = 29, b""


@pytest.mark.parametrize(
    ("change", "why"),
    [(damage, "failed crc check"), (forbid, "TopicAuthorizationFailedError")],
    ids=["damaged", "forbidden"],
)
def test_a_partition_that_brokers_do_not_give_is_named_by_its_place(
    broker, proxy, proxied, opened, change, why
):
    def change_partition(response):
        for topic in response.responses:
            for part in topic.partitions:
                if part.partition_index == 1 and part.records:
                    change(part)

    proxy.changes = {FetchResponse: change_partition}
    broker.write_batch(proxied.input_topic, 1, with_checksum(batch_of(b"1", b"2")))
    session = opened(proxied)

    with pytest.raises(PermanentError, match=why) as caught:
        wait_until(lambda: session.poll(0.5) is None)

    assert caught.value.place == {"topic": proxied.input_topic, "partition": 1, "offset": 0}


def lacking(topic, code):
    def change(response):
        for each in response.topics:
            if each.name == topic:
                each.error_code, each.partitions = code, []

    return {MetadataResponse: change}


@pytest.mark.parametrize(
    ("kind", "code", "why"),
    [
        ("input", 3, "does not exist"),
        ("input", 29, "must not see it"),
        ("output", 3, "does not exist"),
        ("output", 29, "TopicAuthorizationFailedError"),
        ("dead_letter", 3, "does not exist"),
        ("dead_letter", 29, "TopicAuthorizationFailedError"),
    ],
)
def test_a_topic_that_is_not_there_or_not_allowed_is_named(
    proxy, proxied, opened, topics, monkeypatch, kind, code, why
):
    monkeypatch.setattr(kafka_clients, "ANSWER_SECONDS", 4)
    proxy.changes = lacking(topics[kind], code)

    with pytest.raises(PermanentError, match=why) as caught:
        opened(proxied)

    assert topics[kind] in str(caught.value)


def test_only_topics_that_are_written_are_created_on_request(broker, stream, opened, topics):
    """The one that is read gets its partitions from whoever plans them."""
    new = {f"{kind}_topic": f"{name}-new" for kind, name in topics.items()}

    with pytest.raises(PermanentError, match=new["input_topic"]):
        opened(stream.model_copy(update=new))
    before = broker.names()
    opened(stream.model_copy(update=new | {"input_topic": topics["input"]}))

    assert not set(new.values()) & before
    assert set(new.values()) & broker.names() == {new["output_topic"], new["dead_letter_topic"]}


REFUSED = {10: "max.message.bytes", 29: "Let the worker's user", 87: "The brokers' log"}


@pytest.mark.parametrize(("code", "way_out"), REFUSED.items())
def test_a_message_that_the_brokers_refuse_is_named_by_what_it_was_read_from(
    broker, proxy, proxied, opened, outside, code, way_out
):
    broker.write_batch(proxied.input_topic, 2, with_checksum(batch_of(b"1", b"2")))
    session = opened(proxied)
    messages = read(session, 2)
    proxy.answers = refuse_messages(proxied.dead_letter_topic, code)

    with pytest.raises(PermanentError, match=proxied.dead_letter_topic) as caught:
        session.send(rejected(messages))

    assert caught.value.place == {"topic": proxied.input_topic, "partition": 2, "offset": 0}
    assert way_out in str(caught.value)
    assert outside.read("dead_letter", 0) == []


def test_too_few_replicas_are_waited_for(broker, proxy, proxied, opened, monkeypatch):
    monkeypatch.setattr(kafka_clients, "DELIVERY_SECONDS", 2)
    monkeypatch.setattr(kafka_session, "DELIVERY_SECONDS", 2)
    monkeypatch.setattr(kafka_clients, "ANSWER_SECONDS", 1)
    broker.write_batch(proxied.input_topic, 0, with_checksum(batch_of(b"1")))
    session = opened(proxied)
    messages = read(session, 1)
    proxy.answers = refuse_messages(proxied.dead_letter_topic, 19)

    with pytest.raises(SessionError):
        session.send(rejected(messages))


def commit_refused(code):
    """Changes an answer to a commit into a refusal of every partition."""

    def refuse(response):
        for topic in response.topics:
            for each in topic.partitions:
                each.error_code = code

    return refuse


# With transactions and without: the answer to a commit, and its code for a member of before.
COMMITS = [(True, TxnOffsetCommitResponse, 22), (False, OffsetCommitResponse, 27)]


@pytest.mark.parametrize(("transactions", "answer", "_code"), COMMITS)
def test_a_group_that_may_not_be_committed_to_ends_it(
    broker, proxy, proxied, opened, transactions, answer, _code
):
    broker.write_batch(proxied.input_topic, 0, with_checksum(batch_of(b"1")))
    session = opened(proxied.model_copy(update={"transactions": transactions}))
    messages = read(session, 1)
    session.send(rejected(messages))
    proxy.changes = {answer: commit_refused(30)}

    with pytest.raises(PermanentError, match=f"and the group '{proxied.group}'"):
        session.commit()


@pytest.mark.parametrize(("transactions", "answer", "code"), COMMITS)
def test_a_commit_during_a_rebalance_is_not_accepted_and_no_error(
    broker, proxy, proxied, opened, outside, transactions, answer, code
):
    broker.write_batch(proxied.input_topic, 0, with_checksum(batch_of(b"1")))
    session = opened(proxied.model_copy(update={"transactions": transactions}))
    messages = read(session, 1)
    session.send(rejected(messages))
    proxy.changes = {answer: commit_refused(code)}
    refused = session.commit()
    proxy.changes = {}
    session.send(rejected(messages))
    accepted = session.commit()

    assert (refused, accepted) == (False, True)
    # A transaction that was not committed leaves nothing; without one it is there twice.
    assert len(outside.read("dead_letter", 1)) == (1 if transactions else 2)


def test_offsets_are_committed_by_hand_and_messages_written_to_all_replicas(
    broker, proxy, proxied, opened
):
    acks = []
    proxy.answers = {ProduceRequest: lambda request: acks.append(request.acks)}
    broker.write_batch(proxied.input_topic, 0, with_checksum(batch_of(b"1")))
    session = opened(proxied)
    messages = read(session, 1)
    session.send(rejected(messages))
    options = session._consumer.config

    assert acks == [-1]
    assert options["enable_auto_commit"] is False
    assert options["isolation_level"] == "read_committed"
    assert options["auto_offset_reset"] == "earliest"


@pytest.mark.parametrize(
    ("handshake", "code", "last"),
    [(0, 58, set()), (0, 58, {SaslAuthenticateRequest}), (33, 0, set())],
    ids=["password", "password, and closes as Kafka does", "mechanism"],
)
def test_a_wrong_password_is_named_and_is_no_broker_that_does_not_answer(
    proxy, proxied, opened, monkeypatch, handshake, code, last
):
    monkeypatch.setattr(kafka_clients, "_BOOTSTRAP_SECONDS", 1)
    proxy.last = last
    proxy.answers = {
        SaslHandshakeRequest: lambda _: SaslHandshakeResponse(
            error_code=handshake, mechanisms=["PLAIN"]
        ),
        SaslAuthenticateRequest: lambda _: SaslAuthenticateResponse(
            error_code=code, error_message="No.", auth_bytes=b"", session_lifetime_ms=0
        ),
    }
    login = {"kafka_security": "SASL_PLAINTEXT", "kafka_mechanism": "PLAIN", "kafka_user": "worker",
             "kafka_password": "not-to-be-told"}  # fmt: skip
    settings = StreamSettings(**proxied.model_dump() | login)

    with pytest.raises(PermanentError, match="CHURN_KAFKA_PASSWORD") as caught:
        opened(settings)

    assert "not-to-be-told" not in str(caught.value)


def test_no_broker_passes_and_the_reason_is_given(stream, opened, monkeypatch):
    monkeypatch.setattr(kafka_clients, "_BOOTSTRAP_SECONDS", 1)
    nowhere = stream.model_copy(update={"kafka_servers": (f"127.0.0.1:{free_port()}",)})

    with pytest.raises(SessionError, match=r"No broker answers at .* \(.*\)\. Start one"):
        opened(nowhere)


def test_a_worker_whose_score_is_refused_ends_and_the_next_one_reads_it_again_in_order(
    proxy, settings, topics, outside, customers, scorers
):
    some = [customer | {"customerID": "same"} for customer in customers[:30]]
    outside.send(some)
    settings |= {"instance": "only", "batch_messages": 5}
    proxy.answers = refuse_messages(topics["output"], 10)

    with starting(settings | {"kafka_servers": proxy.address}) as worker:
        ended = worker.wait_for("ended")
        code = worker.process.wait(60)
    committed, written = outside.committed(settings["group"]), outside.read("output", 0)
    with working(settings) as worker:
        answers = outside.read("output", len(some))
        wait_until(lambda: outside.committed(settings["group"]) == len(some))
        worker.stop()

    assert code == 1
    assert (ended["level"], ended["topic"], ended["offset"]) == ("error", topics["input"], 0)
    assert ended["partition"] in range(3)
    assert "lower CHURN_MAX_MESSAGE_BYTES" in ended["reason"]
    assert (committed, written) == (0, [])
    rows = [json.loads(each.value)["probability"] for each in answers]
    assert rows == [scorers["1"].score_one(customer).probability for customer in some]
