"""Three brokers: librdkafka's own mock cluster, which is not Apache Kafka.

It knows groups and transactions, but keeps no offsets of a transaction and undoes none. kafka-python
cannot read its answer about versions, so the other client alone speaks to it.
"""

import logging

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from worker_process import wait_until

from service.stream.message_scoring import ScoredBatch
from service.stream.messages import Rejection
from service.stream.stream_settings import StreamSettings
from service.stream.transports import open_session

pytestmark = pytest.mark.system

BROKERS = 3
SILENT = logging.getLogger("mock cluster")
SILENT.setLevel(logging.CRITICAL + 1)


@pytest.fixture
def cluster():
    """A producer, whose brokers live as long as it does."""
    return Producer({"bootstrap.servers": "none", "test.mock.num.brokers": BROKERS}, logger=SILENT)


@pytest.fixture
def several(cluster):
    """Settings of a session at these brokers."""
    topics = {f"{kind}_topic": kind for kind in ("input", "output", "dead_letter")}
    for name in topics.values():
        cluster.list_topics(name, 10)  # which makes it
    brokers = cluster.list_topics(timeout=10).brokers.values()
    servers = ",".join(f"{each.host}:{each.port}" for each in brokers)
    return StreamSettings(
        transport="confluent", kafka_servers=servers, session_seconds=6, batch_messages=10, **topics
    )


def partitions(cluster, topic):
    return cluster.list_topics(topic, 10).topics[topic].partitions


def send(cluster, numbers):
    for number in numbers:
        cluster.produce("input", str(number).encode(), str(number % 20).encode())
    assert cluster.flush(10) == 0


def do(session):
    """Reads, rejects and commits a batch; its values if the group accepts that."""
    messages = session.poll(0.2)
    if not messages:
        return []
    session.send(ScoredBatch(rejected=[(each, Rejection("empty", "Why.")) for each in messages]))
    return [each.value for each in messages] if session.commit() else []


def letters(cluster, settings, count):
    """The values of the dead letters, by partition."""
    servers = ",".join(settings.kafka_servers)
    reader = Consumer({"bootstrap.servers": servers, "group.id": "reader"}, logger=SILENT)
    numbers = partitions(cluster, "dead_letter")
    reader.assign([TopicPartition("dead_letter", number, 0) for number in numbers])
    read = []
    wait_until(lambda: read.extend(reader.consume(100, 0.2)) or len(read) >= count)
    reader.close()
    return [[int(each.value()) for each in read if each.partition() == n] for n in numbers]


def test_a_transaction_spans_partitions_of_several_brokers(cluster, several):
    send(cluster, range(60))
    session, done = open_session(several), []
    wait_until(lambda: done.extend(do(session)) or len(done) == 60)
    written = letters(cluster, several, 60)
    session.close()

    leaders = {
        each.leader
        for topic in ("input", "dead_letter")
        for each in partitions(cluster, topic).values()
    }
    assert len(leaders) > 1
    assert session._transactional
    assert sorted(map(int, done)) == list(range(60))
    assert sorted(value for part in written for value in part) == list(range(60))
    assert all(part == sorted(part) for part in written)


def test_a_second_session_takes_partitions_over_and_each_message_is_done_once(cluster, several):
    several = several.model_copy(update={"transactions": False})
    send(cluster, range(60))
    first, done = open_session(several), []
    wait_until(lambda: done.extend(do(first)) or len(done) >= 20)
    second = open_session(several)

    def both():
        done.extend([*do(first), *do(second)])
        return first.partitions and second.partitions

    wait_until(both)
    send(cluster, range(60, 120))
    wait_until(lambda: both() and len(done) >= 120)
    shares = first.partitions, second.partitions
    waiting = first.count_waiting(), second.count_waiting()
    first.close()
    second.close()

    assert sum(shares) == len(partitions(cluster, "input"))
    assert sorted(map(int, done)) == list(range(120))
    assert waiting == (0, 0)
