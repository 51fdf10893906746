"""A load of HTTP requests over kept connections, light enough to share a core with its server.

    python -m benchmarks.load PORT CONNECTIONS REQUESTS FILE [RATE]

FILE holds whole requests, one a line in hexadecimal; they are sent in turn. Every connection asks
again as soon as it has its answer; with RATE, requests come at random times instead, so many a second
(a Poisson process), and take whichever connection is free. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import cast

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


class Left:
    """How many requests are still to be sent, by whichever connection is free."""

    def __init__(self, count: int) -> None:
        self.count = count

    def one(self) -> bool:
        """Takes one; False where none is left."""
        self.count -= 1
        return self.count >= 0


class Caller(asyncio.Protocol):
    """One connection: sends, waits for the whole answer, sends the next."""

    def __init__(
        self, requests: list[bytes], start: int, left: Left, counts: dict[str, int]
    ) -> None:
        self.requests = requests
        self.place = start
        self.left = left
        self.counts = counts
        self.buffer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent_at = 0.0
        self.waits: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the first request."""
        self.transport = cast(asyncio.Transport, transport)
        self.send()

    def send(self) -> None:
        """Sends the next request, or ends."""
        if not self.left.one():
            self.transport.close()
            self.done.set_result(None)
            return
        self.place = (self.place + 1) % len(self.requests)
        self.sent_at = time.perf_counter()
        self.transport.write(self.requests[self.place])

    def data_received(self, data: bytes) -> None:
        """Takes an answer, or a part of one."""
        self.buffer += data
        end = self.buffer.find(_HEAD_END)
        if end < 0:
            return
        head = self.buffer[:end].lower()
        start = head.index(_LENGTH) + len(_LENGTH)
        size = int(head[start:].partition(b"\r")[0])
        if len(self.buffer) < end + len(_HEAD_END) + size:
            return
        status = head[9:12].decode()
        self.counts[status] = self.counts.get(status, 0) + 1
        self.waits.append(time.perf_counter() - self.sent_at)
        self.buffer = b""
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends early, where the server hung up."""
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server hung up"))


class Arrivals:
    """Requests that come when they come: each waits for a free connection, and that is counted."""

    def __init__(self) -> None:
        self.free: deque[Paced] = deque()
        self.waiting: deque[tuple[float, bytes]] = deque()

    def one(self, request: bytes) -> None:
        """A request has come."""
        came = time.perf_counter()
        if self.free:
            self.free.popleft().ask(came, request)
        else:
            self.waiting.append((came, request))


class Paced(Caller):
    """A connection that is asked for what arrives."""

    def __init__(self, arrivals: Arrivals, counts: dict[str, int]) -> None:
        super().__init__([], 0, Left(0), counts)
        self.arrivals = arrivals

    def ask(self, came: float, request: bytes) -> None:
        """Sends a request that came at this time."""
        self.sent_at = came
        self.transport.write(request)

    def send(self) -> None:
        """Takes what has waited longest, or is free."""
        if self.arrivals.waiting:
            self.ask(*self.arrivals.waiting.popleft())
        else:
            self.arrivals.free.append(self)


async def pace(
    port: int, connections: int, count: int, requests: list[bytes], rate: float
) -> dict[str, object]:
    """Sends `count` requests that come at random, `rate` a second."""
    loop, counts, arrivals = asyncio.get_running_loop(), dict[str, int](), Arrivals()
    callers = []
    for _ in range(connections):
        _, caller = await loop.create_connection(lambda: Paced(arrivals, counts), "127.0.0.1", port)
        callers.append(caller)
    chance = random.Random(connections)  # noqa: S311 - no secret
    began = due = time.perf_counter()
    for number in range(count):
        due += chance.expovariate(rate)
        # The loop's timers know milliseconds only, and would send what comes within one together.
        while (left := due - time.perf_counter()) > 0:
            await asyncio.sleep(left - 0.001 if left > 0.003 else 0)  # noqa: PLR2004
        arrivals.one(requests[number % len(requests)])
    while len(arrivals.free) < connections:
        await asyncio.sleep(0.001)
        if any(caller.done.done() for caller in callers):
            raise ConnectionError("the server hung up")
    return _summary(counts, time.perf_counter() - began, callers)


async def load(port: int, connections: int, count: int, requests: list[bytes]) -> dict[str, object]:
    """Sends `count` requests over so many connections.

    No connection has a share of its own: where one server of several has taken more connections than
    the others, these would else be done early and idle.
    """
    loop, counts = asyncio.get_running_loop(), dict[str, int]()
    began = time.perf_counter()
    callers, left = [], Left(count)
    for number in range(connections):
        start = number * len(requests) // connections

        def caller(start: int = start) -> Caller:
            return Caller(requests, start, left, counts)

        _, protocol = await loop.create_connection(caller, "127.0.0.1", port)
        callers.append(protocol)
    await asyncio.gather(*(each.done for each in callers))
    return _summary(counts, time.perf_counter() - began, callers)


def _summary(
    counts: dict[str, int], seconds: float, callers: Sequence[Caller]
) -> dict[str, object]:
    waits = sorted(wait for each in callers for wait in each.waits)
    return {
        "answers": counts,
        "seconds": seconds,
        "p50": waits[len(waits) // 2],
        "p99": waits[len(waits) * 99 // 100],
    }


def main(arguments: list[str]) -> int:
    """Runs the load."""
    port, connections, count = map(int, arguments[:3])
    rate = float(arguments[4]) if arguments[4:] else None
    lines = Path(arguments[3]).read_text(encoding="ascii").split()
    requests = [bytes.fromhex(line) for line in lines]
    try:
        import uvloop

        runner = uvloop.run
    except ImportError:
        runner = asyncio.run
    if rate is None:
        summary = runner(load(port, connections, count, requests))
    else:
        summary = runner(pace(port, connections, count, requests, rate))
    print(json.dumps(summary))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
