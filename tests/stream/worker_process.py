"""A real worker in a process of its own, and a topic as somebody outside sees it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60


def environment(settings: dict[str, Any]) -> dict[str, str]:
    """Nobody's CHURN_ settings but these."""
    kept = {n: v for n, v in os.environ.items() if not re.match(r"CHURN_|PYTHONDONTWRITE", n)}
    return kept | {f"CHURN_{name.upper()}": str(value) for name, value in settings.items()}


def wait_until(what: Callable[[], Any], about: Callable[[], Any] = lambda: "") -> Any:
    until = time.monotonic() + SECONDS
    while not (found := what()):
        assert time.monotonic() < until, about()
        time.sleep(0.02)
    return found


class Worker:
    """A started worker.

    Attributes:
        process: its process.
        lines: what it logged so far.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service.stream"],
            cwd=ROOT,
            env=environment(settings),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.wait_for('listening')['port']}"

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("event") == event]

    def wait_for(self, event: str) -> dict[str, Any]:
        wait_until(
            lambda: self.logged(event) or self.process.poll() is not None, lambda: self.lines[-5:]
        )
        assert self.logged(event), self.lines[-5:]
        return self.logged(event)[0]

    def ready(self) -> dict[str, Any]:
        return httpx.get(f"{self.url}/readyz", timeout=30).json()

    def figure(self, name: str) -> float:
        page = httpx.get(f"{self.url}/metrics", timeout=30).text
        return float(re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)[1])

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(SECONDS)
        self._reader.join(5)
        return code

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.lines.append({"event": "unreadable", "text": line})


@contextmanager
def starting(settings: dict[str, Any]) -> Iterator[Worker]:
    worker = Worker(settings)
    try:
        yield worker
    finally:
        if worker.process.poll() is None:
            worker.process.kill()
            worker.process.wait()


@contextmanager
def working(settings: dict[str, Any], **more: Any) -> Iterator[Worker]:
    with starting(settings | more) as worker:
        worker.wait_for("connected")
        yield worker


class Outside:
    """Whoever writes customers and reads scores."""

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
    consumer = KafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    try:
        places = [TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic))]
        consumer.assign(places)
        found: list[Any] = []
        until = time.monotonic() + SECONDS
        while True:
            for records in consumer.poll(200).values():
                found.extend(records)
            ends = consumer.end_offsets(places)
            if len(found) >= max(count, sum(ends.values())):
                return found
            assert time.monotonic() < until, f"{len(found)} of {count} in {topic}"
    finally:
        consumer.close()
