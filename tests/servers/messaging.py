"""A broker that speaks Kafka's protocol, for the tests of the stream."""

from __future__ import annotations

import os
import socket
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.stream.development_broker import broker_command
from tests.servers.process import Server, free_port, listens

with warnings.catch_warnings():
    # It reads its own schemas in a way that Python will not keep for ever: not ours to mend.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import TopicPartition
    from kafka.admin import KafkaAdminClient, NewTopic
    from kafka.errors import NotLeaderForPartitionError, UnknownTopicOrPartitionError
    from kafka.protocol.producer import ProduceRequest, ProduceResponse

PARTITIONS = 3
_LED_SECONDS = 10
_NOT_YET = {NotLeaderForPartitionError.errno, UnknownTopicOrPartitionError.errno}
"""What Kafka answers about a partition of a topic that was made a moment ago."""


class Broker:
    """`noida-db`: one small program that speaks Kafka's protocol, restarted with what it holds.

    Where CHURN_TEST_KAFKA names a real broker, that one, which no test starts or stops; in the end it
    loses the topics that were made here.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.is_real = bool(named := os.environ.get("CHURN_TEST_KAFKA"))
        self.address = named or f"127.0.0.1:{free_port()}"
        self._port = int(self.address.rpartition(":")[2])
        self._made: list[str] = []

    def start(self) -> None:
        if self.is_real:
            return
        command = broker_command(self._port, self._folder / "data")
        self._server = Server("the broker", command, self._folder / "log")
        self._server.wait(lambda: listens(self._port))

    def stop(self) -> None:
        if not self.is_real:
            self._server.stop()
        elif self._made:
            with self._admin() as admin:
                admin.delete_topics(self._made, raise_errors=False)

    def topics(self, *names: str) -> None:
        with self._admin() as admin:
            admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
        self._made += names

    def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """Deletes a partition's oldest messages, as retention does; offset -1 deletes all."""
        with self._admin() as admin:
            admin.delete_records({TopicPartition(topic, partition): offset})

    def names(self) -> set[str]:
        """Names of the topics that exist."""
        with self._admin() as admin:
            return set(admin.list_topics())

    def group_state(self, name: str) -> str:
        with self._admin() as admin:
            return admin.describe_groups([name])[name]["group_state"]

    def write_batch(self, topic: str, partition: int, batch: bytes) -> None:
        """Writes a batch as it is: whole, or damaged where the broker takes that."""
        until = time.monotonic() + _LED_SECONDS
        while (code := self._write(topic, partition, batch)) in _NOT_YET:
            assert time.monotonic() < until, code
            time.sleep(0.02)
        assert code == 0

    def _write(self, topic: str, partition: int, batch: bytes) -> int:
        """Writes a batch once: the code of the broker's answer."""
        kind = ProduceRequest.TopicProduceData
        request = ProduceRequest[7](
            acks=-1,
            timeout_ms=5000,
            topic_data=[kind(name=topic, partition_data=[
                kind.PartitionProduceData(index=partition, records=batch)
            ])],
        )  # fmt: skip
        request.with_header()
        place = self.address.rpartition(":")[0], self._port
        with socket.create_connection(place, 10) as connection:
            connection.sendall(request.encode(header=True, framed=True))
            answer = connection.recv(4096)
        (written,) = ProduceResponse[7].decode(answer, header=True, framed=True).responses
        return int(written.partition_responses[0].error_code)

    @contextmanager
    def _admin(self) -> Iterator[KafkaAdminClient]:
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        try:
            yield admin
        finally:
            admin.close()
