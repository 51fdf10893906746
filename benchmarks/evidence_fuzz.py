"""Fuzzed requests without a 5xx, and fuzzed byte streams that both paths answer alike.

    python -m benchmarks.evidence_fuzz [--requests 20000] [--streams 10000] [--seed 12]

Requests go to one worker, each over a connection of its own: no answer may be a 5xx but 503, every
request whose frame is right is answered, and the worker that answers at the end is the one that began.
Streams go to a worker with the short path and to one without: the same segments, then the end. Statuses,
headers and bodies must be equal but for ids and dates. Prints every difference; exits with 1 on any.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from benchmarks.evidence_service import Prepared, prepare
from benchmarks.fuzzed_requests import fuzzed_request, fuzzed_stream
from benchmarks.measuring import BenchmarkError
from benchmarks.serving import Server, started

_AT_ONCE = 8
_PATIENCE = 20.0
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_NOT_COMPARED = re.compile(
    rb"\b[0-9a-f]{16}-[0-9a-f]{8}\b|\r\ndate: [^\r]+|\r\n[0-9a-f]+\r\n", re.IGNORECASE
)
"""Ids, dates, and where an answer is cut into chunks, which goes by time."""
_CHANGING = (b"/metrics", b"/readyz", b"/metadata")
"""Their answers tell of the worker itself."""
_UNAVAILABLE = "503"


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzzes and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=12)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        try:
            prepared = prepare(Path(folder))
            faults = [*_fuzz(prepared, options.requests, options.seed)]
            faults += _compare(prepared, options.streams, options.seed)
        except BenchmarkError as error:
            print(f"No figures: {error}", file=sys.stderr)
            return 1
    print(*faults[:50], sep="\n")
    print(f"{len(faults)} faults.")
    return 1 if faults else 0


def _fuzz(prepared: Prepared, count: int, seed: int) -> list[str]:
    """Sends requests to one worker, and returns what is wrong with the answers."""
    if not count:
        return []
    with started(prepared.service(), prepared.settings, "/livez") as server:
        statuses, faults = asyncio.run(_send_requests(server, prepared, count, seed))
        if server.process.poll() is not None:
            faults.append(f"the worker ended with {server.process.returncode}")
    print(f"{count:,} requests: {dict(sorted(statuses.items()))}")
    return faults


async def _send_requests(
    server: Server, prepared: Prepared, count: int, seed: int
) -> tuple[Counter[str], list[str]]:
    statuses: Counter[str] = Counter()
    faults: list[str] = []
    numbers = iter(range(count))

    async def one() -> None:
        for number in numbers:
            chance = Random(f"{seed} {number}")  # noqa: S311 - no secret
            framed = number % 2 == 0
            sent = fuzzed_request(chance, prepared.customers, prepared.key, framed=framed)
            answer = await exchange(server.port, [sent])
            found = [status.decode() for status in _STATUS.findall(answer)]
            statuses.update(found or ["none"])
            wrong = [each for each in found if each >= "500" and each != _UNAVAILABLE]
            if wrong or (framed and not found):
                faults.append(f"request {number}: {found} to {sent[:300]!r}: {answer[:300]!r}")

    await asyncio.gather(*(one() for _ in range(_AT_ONCE)))
    return statuses, faults


def _compare(prepared: Prepared, count: int, seed: int) -> list[str]:
    """Sends the same streams to both paths, and returns where the answers differ."""
    if not count:
        return []
    plain = prepared.settings | {
        "CHURN_SHORT_PATH": "false",
        "CHURN_LEDGER": f"sqlite:///{prepared.folder}/plain.db",
    }
    with (
        started(prepared.service(), prepared.settings, "/livez") as one,
        started(prepared.service(), plain, "/livez") as other,
    ):
        statuses, faults = asyncio.run(_send_streams((one, other), prepared, count, seed))
        for server in (one, other):
            if server.process.poll() is not None:
                faults.append(f"a worker ended with {server.process.returncode}")
    print(f"{count:,} streams: {dict(sorted(statuses.items()))}")
    return faults


async def _send_streams(
    servers: Sequence[Server], prepared: Prepared, count: int, seed: int
) -> tuple[Counter[str], list[str]]:
    statuses: Counter[str] = Counter()
    faults: list[str] = []
    numbers = iter(range(count))

    async def one() -> None:
        for number in numbers:
            chance = Random(f"{seed} stream {number}")  # noqa: S311 - no secret
            parts = fuzzed_stream(chance, prepared.customers, prepared.key)
            answers = [await exchange(server.port, parts) for server in servers]
            statuses.update(status.decode() for status in _STATUS.findall(answers[0]))
            if any(path in b"".join(parts) for path in _CHANGING):
                compared = [_STATUS.findall(answer) for answer in answers]
            else:
                compared = [[_NOT_COMPARED.sub(b"", answer)] for answer in answers]
            if compared[0] != compared[1]:
                faults.append(f"stream {number}: {parts!r}: {answers[0]!r} is not {answers[1]!r}")

    await asyncio.gather(*(one() for _ in range(_AT_ONCE)))
    return statuses, faults


async def exchange(port: int, parts: Sequence[bytes]) -> bytes:
    """Sends segments, then the end, and returns all that came back."""
    received = b""
    with suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.timeout(_PATIENCE):
                with suppress(OSError):
                    for part in parts:
                        writer.write(part)
                        await writer.drain()
                        await asyncio.sleep(0)
                    writer.write_eof()
                while data := await reader.read(2**16):
                    received += data
        except TimeoutError:
            received += b"(no end)"
        finally:
            writer.close()
    return received


if __name__ == "__main__":
    sys.exit(main())
