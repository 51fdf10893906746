"""A caller that asks at a steady pace over kept connections and writes down what it got.

    python -m benchmarks.polite_caller PORT RATE FILE RECORD

FILE holds whole requests, one a line in hexadecimal, as `benchmarks.serving.requests` writes it. Each is
sent once before the record begins; a later answer must have the same status, probability and decision.
RECORD gets a line for every request: when it was due (seconds since the epoch), the seconds until its
answer was there, and what was wrong with it, if anything. Ends when stdin is closed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

_PATIENCE = 10.0
_KEPT_SECONDS = 3.0  # the service closes after 5
_COMPARED = ("probability", "decision", "risk_band")

Answer = tuple[int, tuple[object, ...]]


class Connections:
    """Kept connections to one server; a new one is opened if none is free."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []

    def _kept(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """The connection that was used last; none that the server may be about to close."""
        while self._free:
            since, reader, writer = self._free.pop()
            if time.monotonic() - since < _KEPT_SECONDS and not reader.at_eof():
                return reader, writer
            writer.close()
        return None

    async def ask(self, request: bytes) -> Answer:
        """Sends a request and returns its status and what of the answer must not change.

        Raises:
            OSError, EOFError, ValueError: there was no whole answer.
        """
        reader, writer = self._kept() or await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(head.partition(b"content-length: ")[2].partition(b"\r")[0])
            body = json.loads(await reader.readexactly(size))
        except BaseException:
            writer.close()
            raise
        if b"connection: close" in head:
            writer.close()
        else:
            self._free.append((time.monotonic(), reader, writer))
        return int(head[9:12]), tuple(body.get(name) for name in _COMPARED)


async def ask(
    connections: Connections, request: bytes, expected: Answer, due: float, record: TextIO
) -> None:
    """Asks once, and records it."""
    fault = ""
    try:
        answer = await asyncio.wait_for(connections.ask(request), _PATIENCE)
        if answer != expected:
            fault = f"answered {answer} instead of {expected}"
    except (OSError, EOFError, ValueError, TimeoutError) as error:
        fault = f"{type(error).__name__}: {error}"
    record.write(json.dumps([due, time.time() - due, fault]) + "\n")
    record.flush()


async def run(port: int, rate: float, requests: list[bytes], record: TextIO) -> None:
    """Asks until stdin is closed."""
    connections, closed = Connections(port), asyncio.Event()
    expected = [await connections.ask(request) for request in requests]
    record.write("\n")  # a line that is empty: it has begun
    record.flush()
    loop = asyncio.get_running_loop()

    def watch() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(closed.set)

    threading.Thread(target=watch, daemon=True).start()
    under_way: set[asyncio.Task[None]] = set()
    due, number = time.time(), 0
    while not closed.is_set():
        due += 1 / rate
        await asyncio.sleep(max(0.0, due - time.time()))
        at = number % len(requests)
        task = asyncio.create_task(ask(connections, requests[at], expected[at], due, record))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        number += 1
    await asyncio.gather(*under_way)


def main(arguments: list[str]) -> int:
    """Runs the caller."""
    port, rate, file, record = arguments
    lines = Path(file).read_text(encoding="ascii").split()
    with Path(record).open("w", encoding="utf-8") as output:
        asyncio.run(run(int(port), float(rate), [bytes.fromhex(line) for line in lines], output))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
