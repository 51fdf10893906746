"""Attacks on a running service; `benchmarks.evidence_chaos` runs them beside a polite caller.

Each is a coroutine that goes on until its time is over and returns how often it did what it does.
"""

from __future__ import annotations

import asyncio
import gzip
import random
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from churn.scoring.bundle import publish

_AT_LIMIT = 8 * 2**20
_OVER_LIMIT = 33_500_000
_ONE_CUSTOMER = 64 * 2**10
_ANSWER_SECONDS = 20.0
_NDJSON = "Content-Type: application/x-ndjson"
_GZIP = "Content-Encoding: gzip"


@dataclass(frozen=True)
class Target:
    """The service that is attacked.

    Attributes:
        port: its port.
        key: one that it accepts.
        store: its bundle store, with the versions 1 to 3.
        ledger: folder of its ledger's files.
        customers: real ones, as JSON.
        seconds: how long each attack goes on.
    """

    port: int
    key: str
    store: Path
    ledger: Path
    customers: list[bytes]
    seconds: float

    def post(self, path: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
        """A whole request with the key; `length` states another length of the body."""
        size = len(body) if length is None else length
        lines = [
            f"POST {path} HTTP/1.1", "Host: localhost", f"X-API-Key: {self.key}",
            f"Content-Length: {size}", *headers,
        ]  # fmt: skip
        if not any(line.startswith("Content-Type") for line in headers):
            lines.append("Content-Type: application/json")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def rounds(self) -> Iterator[int]:
        """Counts until the time is over."""
        until, number = time.monotonic() + self.seconds, 0
        while time.monotonic() < until:
            yield number
            number += 1


Attack = Callable[[Target], Coroutine[None, None, int]]
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connect(target: Target) -> Stream:
    """Opens a connection."""
    return await asyncio.open_connection("127.0.0.1", target.port)


async def send(target: Target, *parts: bytes) -> bytes:
    """Sends parts over a connection of its own and returns what came back until it was closed."""
    received = b""
    with suppress(OSError, TimeoutError):
        reader, writer = await connect(target)
        with closing(writer):
            async with asyncio.timeout(_ANSWER_SECONDS):
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                writer.write_eof()
                while data := await reader.read(2**16):
                    received = received[-(2**16) :] + data
    return received


async def side_by_side(target: Target, connections: int, *requests: bytes) -> int:
    """Sends the requests in turn, over and over, some at a time, each over its own connection."""

    async def one() -> int:
        sent = 0
        for number in target.rounds():
            await send(target, requests[number % len(requests)])
            sent += 1
        return sent

    return sum(await asyncio.gather(*(one() for _ in range(connections))))


def of_sizes(start: bytes, unit: bytes, end: bytes, *sizes: int) -> list[bytes]:
    """Bodies of a repeated unit, just below each size."""
    return [start + unit * ((size - len(start + end)) // len(unit)) + end for size in sizes]


async def empty_lists(target: Target) -> int:
    """Empty lists and a NaN, to V2."""
    bodies = of_sizes(b'{"inputs":[', b"[],", b"NaN]}", _AT_LIMIT, _OVER_LIMIT)
    path = "/v2/models/churn/infer"
    return await side_by_side(target, 2, *(target.post(path, body) for body in bodies))


async def ones(target: Target) -> int:
    """A batch of ones."""
    bodies = of_sizes(b"[", b"1,", b"1]", _AT_LIMIT, _OVER_LIMIT)
    return await side_by_side(target, 2, *(target.post("/v1/score/batch", body) for body in bodies))


async def newlines(target: Target) -> int:
    """Empty lines as NDJSON."""
    bodies = of_sizes(b"", b"\n", b"", _AT_LIMIT, _OVER_LIMIT)
    requests = (target.post("/v1/score/batch", body, _NDJSON) for body in bodies)
    return await side_by_side(target, 2, *requests)


async def deep_lists(target: Target) -> int:
    """Lists in lists, to every route that reads a body."""
    large, small = b"[" * _AT_LIMIT, b"[" * _ONE_CUSTOMER
    paths = {
        "/v1/score": small, "/v1/explain": small, "/v1/score/batch": large, "/v1/outcomes": large,
        "/v2/models/churn/infer": large,
    }  # fmt: skip
    return await side_by_side(target, 2, *(target.post(path, body) for path, body in paths.items()))


async def many_fields(target: Target) -> int:
    """Objects of many unknown fields, escapes and long numbers."""
    fields = b",".join(b'"\\u00e9%d":1e%d' % (number, number) for number in range(400_000))
    body = (b"[{" + fields)[: _AT_LIMIT - 2] + b"}]"
    digits = b"[" + b"9" * (_AT_LIMIT - 2) + b"]"
    paths = ("/v1/score/batch", "/v1/outcomes", "/v2/models/churn/infer")
    requests = [target.post(path, each) for path in paths for each in (body, digits)]
    return await side_by_side(target, 2, *requests)


async def compressed(target: Target) -> int:
    """A gigabyte of zeros, compressed."""
    body = gzip.compress(bytes(2**20) * 1024, 1)
    paths = ("/v1/score", "/v1/score/batch", "/v2/models/churn/infer", "/v1/outcomes")
    return await side_by_side(target, 2, *(target.post(path, body, _GZIP) for path in paths))


async def largest_batches(target: Target) -> int:
    """Batches as large as they may be, of real customers."""
    rows = (target.customers * 10)[:10_000]
    requests = [
        target.post("/v1/score/batch", b"[" + b",".join(rows) + b"]"),
        target.post("/v1/score/batch", b"\n".join(rows), _NDJSON),
    ]
    return await side_by_side(target, 2, *requests)


async def endless_headers(target: Target) -> int:
    """200 MB of headers, before any key: one without end, and many."""
    line = b"X-A: " + b"a" * 60_000 + b"\r\n"
    start = b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\n"
    sent = 0
    for number in target.rounds():
        part = b"a" * 65_536 if number % 2 else line
        await send(target, start + (b"X-A: " if number % 2 else b""), *[part] * 3200)
        sent += 1
    return sent


async def _hold(target: Target, count: int, beginning: bytes) -> int:
    """Opens connections that begin and send no more; each that is closed is opened again."""

    async def one() -> int:
        opened = 0
        for _ in target.rounds():
            with suppress(OSError, TimeoutError):
                reader, writer = await connect(target)
                with closing(writer):
                    writer.write(beginning)
                    opened += 1
                    async with asyncio.timeout(target.seconds):
                        while await reader.read(2**16):
                            pass
            await asyncio.sleep(0.1)
        return opened

    return sum(await asyncio.gather(*(one() for _ in range(count))))


async def held_bodies(target: Target) -> int:
    """300 connections with a head and one byte of the body."""
    return await _hold(target, 300, target.post("/v1/explain", b"{", length=1000))


async def held_answers(target: Target) -> int:
    """300 connections with a whole request and one byte of the next."""
    return await _hold(target, 300, target.post("/v1/score", target.customers[0]) + b"P")


async def idle(target: Target) -> int:
    """1,000 connections that say nothing."""
    return await _hold(target, 1000, b"")


async def flood(target: Target) -> int:
    """Connections that are opened and reset at once."""
    opened = 0
    for _ in target.rounds():
        with suppress(OSError):
            for _, writer in [await connect(target) for _ in range(20)]:
                opened += 1
                writer.transport.abort()
    return opened


async def _without_reading(target: Target, connections: int, request: bytes) -> int:
    """Repeats a request over connections whose answers nobody reads."""
    loop = asyncio.get_running_loop()
    batch = request * max(1, 2**16 // len(request))

    async def one() -> int:
        sent = 0
        with socket.create_connection(("127.0.0.1", target.port)) as opened:
            opened.setblocking(False)
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(target.seconds):
                    while True:
                        await loop.sock_sendall(opened, batch)
                        sent += 1
        return sent

    return sum(await asyncio.gather(*(one() for _ in range(connections))))


async def unread_outcomes(target: Target) -> int:
    """One connection that repeats an outcome and reads no answer."""
    outcome = b'{"prediction_id":"0000000000000000-00000001","churned":true}'
    return await _without_reading(target, 1, target.post("/v1/outcomes", outcome))


async def unread_scores(target: Target) -> int:
    """20 connections that repeat a score, and read no answer."""
    return await _without_reading(target, 20, target.post("/v1/score", target.customers[0]))


async def unread_batches(target: Target) -> int:
    """100 connections that ask for a large batch, and read no answer."""
    rows = (target.customers * 10)[:1000]
    request = target.post("/v1/score/batch", b"[" + b",".join(rows) + b"]")
    return await _without_reading(target, 100, request)


async def half_closed(target: Target) -> int:
    """Requests behind which the caller closes its half; whole ones, and halves."""
    whole = target.post("/v1/score", target.customers[0])
    return await side_by_side(target, 20, whole, whole[:-20], whole[:40], b"")


async def random_bytes(target: Target) -> int:
    """Bytes at random, and requests with some of theirs changed."""
    chance = random.Random(12)  # noqa: S311 - no secret
    whole = target.post("/v1/score", target.customers[0])
    requests = []
    for _ in range(200):
        spoilt = bytearray(whole)
        for _ in range(chance.randrange(1, 20)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        requests += [bytes(spoilt), chance.randbytes(chance.randrange(1, 2**16))]
    return await side_by_side(target, 10, *requests)


async def smuggled(target: Target) -> int:
    """A body behind `Upgrade` that looks like a request: it must not be answered as one.

    Raises:
        AssertionError: it was.
    """
    inner = b"GET /metadata HTTP/1.1\r\nHost: localhost\r\nX-API-Key: " + target.key.encode()
    inner += b"\r\n\r\n"
    sent = 0
    for number in target.rounds():
        protocol = ("websocket", "h2c", "h2c, x")[number % 3]
        request = target.post("/v1/score", inner, "Connection: Upgrade", f"Upgrade: {protocol}")
        reader, writer = await connect(target)
        with closing(writer), suppress(OSError, TimeoutError):
            writer.write(request[: -len(inner)])
            await asyncio.sleep(0.05)
            writer.write(inner)
            writer.write_eof()
            async with asyncio.timeout(5):
                answer = await reader.read()
            if answer.count(b"HTTP/1.1 ") > 1 or b" 200 " in answer[:20]:
                raise AssertionError(f"the body was taken for a request: {answer[:200]!r}")
        sent += 1
    return sent


@contextmanager
def _ledger_locked(target: Target) -> Iterator[None]:
    with ExitStack() as locks:
        for file in target.ledger.glob("*.db"):
            connection = locks.enter_context(
                closing(sqlite3.connect(file, isolation_level=None, timeout=10))
            )
            connection.execute("BEGIN EXCLUSIVE")
        yield


async def stuck_ledger(target: Target) -> int:
    """300 outcomes while the ledger is locked, and a new version meanwhile."""
    outcome = b'{"prediction_id":"0000000000000000-00000001","churned":true}'
    with _ledger_locked(target):
        publish(target.store, "2")
        sent = await side_by_side(target, 300, target.post("/v1/outcomes", outcome))
    publish(target.store, "1")
    return sent


async def swaps(target: Target) -> int:
    """Versions published one after the other, and pointers that must be refused."""
    pointer = target.store / "current.json"
    done = 0
    for number in target.rounds():
        version = str(1 + number % 3)
        await asyncio.to_thread(publish, target.store, version)
        done += 1
        await asyncio.sleep(1.2)
        valid = pointer.read_bytes()
        bad = valid[: len(valid) // 2] if number % 2 else valid.replace(b"bundles/", b"nowhere/")
        for content in (bad, valid):
            unfinished = pointer.with_suffix(".new")
            unfinished.write_bytes(content)
            shutil.move(unfinished, pointer)
            await asyncio.sleep(1.2)
    publish(target.store, "1")
    return done


ATTACKS: dict[str, Attack] = {
    "empty lists and NaN to V2, 8 and 33.5 MB": empty_lists,
    "a batch of ones, 8 and 33.5 MB": ones,
    "newlines as NDJSON, 8 and 33.5 MB": newlines,
    "lists in lists, to every route": deep_lists,
    "objects of many fields, numbers of many digits": many_fields,
    "a gigabyte of zeros in gzip": compressed,
    "the largest batches of real customers": largest_batches,
    "200 MB of headers": endless_headers,
    "300 connections with one byte of a body": held_bodies,
    "300 connections with one byte behind an answer": held_answers,
    "1,000 silent connections": idle,
    "connections opened and reset": flood,
    "outcomes repeated, no answer read": unread_outcomes,
    "scores repeated, no answer read": unread_scores,
    "100 batches, no answer read": unread_batches,
    "bodies behind Upgrade": smuggled,
    "300 outcomes, the ledger locked": stuck_ledger,
    "versions swapped, also refused ones": swaps,
    "half-closed connections": half_closed,
    "random bytes": random_bytes,
}
