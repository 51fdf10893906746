"""What the worst bodies cost a worker: the longest time that the event loop belongs to one, and memory.

    OMP_NUM_THREADS=1 python -m benchmarks.evidence_bodies [--only NAME] [--json]

Each body of `benchmarks.hostile_bodies` is sent to each route that takes it, at the route's limit, in a
process of its own. The loop's time is CPU time of its thread between two passes, so that other load on the
machine does not count; memory is the rise of the process's peak. Prints a Markdown table, the worst first.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.evidence_service import prepare
from benchmarks.hostile_bodies import BODIES, NDJSON
from benchmarks.measuring import ROOT
from service.api.application import ChurnService
from service.api.http_request import HttpRequest
from service.api.service_settings import ServiceSettings
from service.api.worker_state import WorkerState
from service.core.garbage_collector import spare_garbage_collector

ONE = ("/v1/score", "/v1/explain")
MANY = ("/v1/score/batch", "/v1/outcomes", "/v2/models/churn/infer")
_MEGABYTE = 2**20


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", help="name of one body")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--here", nargs=3, metavar=("STORE", "ROUTE", "BODY"), help=argparse.SUPPRESS
    )
    options = parser.parse_args()
    if options.here:
        print(json.dumps(measure_here(*options.here)))
        return 0
    names = [options.only] if options.only else list(BODIES)
    with tempfile.TemporaryDirectory() as folder:
        store = str(prepare(Path(folder)).store)
        rows: list[dict[str, Any]] = [
            {"body": name, "route": route} | measure(store, route, name)
            for name in names
            for route in (*ONE, *MANY, f"{MANY[0]} {NDJSON}")
        ]
    rows.sort(key=lambda row: row["milliseconds"], reverse=True)
    if options.json:
        print(json.dumps(rows))
        return 0
    print("| body | route | answer | ms of the loop at a time | MB |\n|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['body']} | `{row['route']}` | {row['status']} | {row['milliseconds']:.1f} | "
            f"{row['megabytes']:.1f} |"
        )
    return 0


def measure(store: str, route: str, name: str) -> dict[str, Any]:
    """Measures one body on one route in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.evidence_bodies", "--here", store, route, name]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    measured: dict[str, Any] = json.loads(ran.stdout)
    return measured


class Silent:
    """A connection that takes the answer and keeps its status."""

    is_lost = False

    def __init__(self) -> None:
        self.status = 0
        self.done = asyncio.Event()
        self.gone = asyncio.Event()

    def send_answer(self, answer: Any) -> None:
        """Takes a whole answer."""
        self.status = answer.status
        self.done.set()

    def completed_headers(self, headers: Any) -> Any:
        """Adds nothing."""
        return headers

    def send(self, data: bytes) -> None:
        """Takes a part of an answer."""
        if not self.status:
            self.status = int(data.split(b" ", 2)[1])

    async def drain(self) -> None:
        """Waits for nobody."""

    def finish(self) -> None:
        """The answer is complete."""
        self.done.set()


def measure_here(store: str, route: str, name: str) -> dict[str, Any]:
    """Measures one body on one route."""
    path, _, content_type = route.partition(" ")
    with tempfile.TemporaryDirectory() as folder:
        settings = ServiceSettings(store=store, ledger=f"sqlite:///{folder}/ledger.db")
        size = settings.max_body_bytes if path in ONE else settings.max_batch_bytes
        body = BODIES[name](size)
        state = WorkerState(settings, Path(folder))
        spare_garbage_collector()
        seconds, kilobytes, status = asyncio.run(_answered(state, path, content_type, body))
    return {
        "status": status, "milliseconds": seconds * 1000, "megabytes": kilobytes * 1024 / _MEGABYTE
    }  # fmt: skip


async def _answered(
    state: WorkerState, path: str, content_type: str, body: bytes
) -> tuple[float, int, int]:
    service = ChurnService(state)
    for sent in (b"[]", body):
        request = HttpRequest(
            "POST", path.encode(), [(b"content-type", content_type.encode())], version="1.1",
            keep_alive=True,
        )  # fmt: skip
        connection: Any = Silent()
        service.path.admit(request)
        request.body = sent
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forgets the peak so far
        before = _memory("VmRSS")
        watching = asyncio.create_task(_longest_pass())
        await asyncio.sleep(0)
        service.path.answer(connection, request)
        await connection.done.wait()
        watching.cancel()
        longest = await watching
    return longest, _memory("VmHWM") - before, connection.status


def _memory(name: str) -> int:
    """Returns kilobytes of this process: `VmRSS`, or `VmHWM` for the peak."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.findall(rf"{name}:\s+(\d+)", status)[0])


async def _longest_pass() -> float:
    longest, began = 0.0, time.thread_time()
    try:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - began)
    except asyncio.CancelledError:
        return max(longest, time.thread_time() - began)


if __name__ == "__main__":
    sys.exit(main())
