"""A real worker in a process of its own, and the topics as another program sees them."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from tests.servers.logged_process import SECONDS, LoggedProcess
from tests.servers.messaging import Broker
from tests.servers.redis_server import RedisServer, redis_program


def wait_until(
    what: Callable[[], Any], about: Callable[[], Any] = lambda: "", seconds: float = SECONDS
) -> Any:
    until = time.monotonic() + seconds
    while not (result := what()):
        assert time.monotonic() < until, about()
        time.sleep(0.02)
    return result


class StreamWorker(LoggedProcess):
    """A started worker."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__("service.stream", **settings)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.wait_for('listening')['port']}"

    def ready(self) -> dict[str, Any]:
        return httpx.get(f"{self.url}/readyz", timeout=30).json()

    def metric(self, name: str) -> float:
        page = httpx.get(f"{self.url}/metrics", timeout=30).text
        return float(re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)[1])


@contextmanager
def starting(settings: dict[str, Any]) -> Iterator[StreamWorker]:
    worker = StreamWorker(settings)
    try:
        yield worker
    finally:
        worker.kill()


@contextmanager
def working(settings: dict[str, Any], **more: Any) -> Iterator[StreamWorker]:
    with starting(settings | more) as worker:
        worker.wait_for("connected")
        yield worker


@contextmanager
def broker_and_redis() -> Iterator[tuple[Path, Broker, RedisServer]]:
    """Both, started, and a folder that is removed with them: for what is measured outside pytest."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as started:
        folder = Path(name)
        (folder / "broker").mkdir()
        broker, redis = Broker(folder / "broker"), RedisServer(redis_program(), folder)
        for each in (broker, redis):
            each.start()
            started.callback(each.stop)
        yield folder, broker, redis


class Outside:
    """A program beside the worker that writes customers and reads scores."""

    def __init__(self, address: str, topics: dict[str, str]) -> None:
        self._address = address
        self._topics = topics
        self._producer = KafkaProducer(bootstrap_servers=address, linger_ms=5)

    def send(self, values: Iterable[bytes | dict[str, Any]]) -> None:
        for value in values:
            content = value if isinstance(value, bytes) else json.dumps(value).encode()
            key = value["customerID"].encode() if isinstance(value, dict) else b"?"
            self._producer.send(self._topics["input"], content, key=key)
        self._producer.flush(30)

    def read(self, kind: str, count: int) -> list[Any]:
        """All of a topic, once it holds at least `count` messages."""
        return read_topic(self._address, self._topics[kind], count)

    def wait_for_some(self, kind: str, count: int) -> None:
        """Until a topic holds at least `count` messages."""
        consumer = KafkaConsumer(bootstrap_servers=self._address)
        try:
            numbers = consumer.partitions_for_topic(self._topics[kind])
            places = [TopicPartition(self._topics[kind], number) for number in numbers]
            wait_until(lambda: sum(consumer.end_offsets(places).values()) >= count)
        finally:
            consumer.close()

    def committed(self, group: str) -> int:
        """How many messages the group has done."""
        consumer = KafkaConsumer(bootstrap_servers=self._address, group_id=group)
        try:
            places = [
                TopicPartition(self._topics["input"], number)
                for number in consumer.partitions_for_topic(self._topics["input"])
            ]
            return sum(consumer.committed(place) or 0 for place in places)
        finally:
            consumer.close()

    def close(self) -> None:
        self._producer.close(5)


def read_topic(address: str, topic: str, count: int) -> list[Any]:
    """What is committed of a topic, to its end, once that are at least `count` messages."""
    consumer = KafkaConsumer(
        bootstrap_servers=address,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    try:
        places = [TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic))]
        consumer.assign(places)
        records_read: list[Any] = []
        until = time.monotonic() + SECONDS
        while True:
            for records in consumer.poll(200).values():
                records_read.extend(records)
            ends = consumer.end_offsets(places)
            # Offsets are not counted: the marks of transactions have some, too.
            is_end = all(consumer.position(place) >= end for place, end in ends.items())
            if is_end and len(records_read) >= count:
                return records_read
            assert time.monotonic() < until, f"{len(records_read)} of {count} in {topic}"
    finally:
        consumer.close()
