"""Servers to be measured, the load on them, and what an answer costs: CPU of all a server's processes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import ROOT, BenchmarkError

CONNECTIONS = 32
_PATIENCE = 90.0  # seconds until a server must answer, on a busy machine
_WRITTEN = 0.6  # seconds until the ledger's writer has got to the last of them


@dataclass(frozen=True)
class Run:
    """One load on one server.

    Attributes:
        cpu: CPU time of the server, microseconds a request.
        rate: requests a second.
        p50: median of the wait for an answer, milliseconds.
        p99: 99th percentile of the same.
    """

    cpu: float
    rate: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Side:
    """What is measured.

    Attributes:
        command: that serves; `{port}` stands for the port.
        requests: a file of whole requests, as `requests` writes it.
        count: how many of them a round sends.
        settings: environment variables beside the measurer's own.
        ready: path that answers 200 once it serves.
        connections: over which they come.
    """

    command: Sequence[str | Path]
    requests: Path
    count: int
    settings: Mapping[str, str]
    ready: str = "/"
    connections: int = CONNECTIONS

    def round(self) -> Run:
        """Starts the server, warms it, loads it, and stops it."""
        with started(self.command, self.settings, self.ready) as server:
            load(server, self.requests, max(self.connections, self.count // 10), self.connections)
            return load(server, self.requests, self.count, self.connections)


class Server:
    """A started server: the group of its processes, and its port."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    def cpu(self) -> float:
        """CPU seconds of all of them so far."""
        return sum(ticks for _, ticks in self._processes()) / os.sysconf("SC_CLK_TCK")

    def pids(self) -> list[int]:
        """Of all of them."""
        return [pid for pid, _ in self._processes()]

    def memory(self) -> list[float]:
        """Resident MB of each, at its peak."""
        sizes = []
        for pid, _ in self._processes():
            text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            sizes.append(int(re.findall(r"VmHWM:\s+(\d+)", text)[0]) / 1024)
        return sizes

    def _processes(self) -> Iterator[tuple[int, int]]:
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # one that ended meanwhile
                fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
                if int(fields[2]) == self.process.pid:
                    yield int(stat.parent.name), int(fields[11]) + int(fields[12])


@contextmanager
def started(
    command: Sequence[str | Path], settings: Mapping[str, str], ready: str
) -> Iterator[Server]:
    """A server that answers, and is stopped afterwards with all its processes.

    Raises:
        BenchmarkError: it ended, or did not answer in time.
    """
    port = _free_port()
    environment = {n: v for n, v in os.environ.items() if not n.startswith("CHURN_")}
    environment |= {name: value.replace("{port}", str(port)) for name, value in settings.items()}
    process = subprocess.Popen(
        [str(part).replace("{port}", str(port)) for part in command],
        cwd=ROOT, env=environment | {"OMP_NUM_THREADS": "1"}, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(process, port, ready)
        yield Server(process, port)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        with suppress(ProcessLookupError):  # what it has left behind
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def load(
    server: Server,
    requests: Path,
    count: int,
    connections: int = CONNECTIONS,
    rate: float | None = None,
) -> Run:
    """Sends `count` requests from a process of its own; at random, `rate` a second, where one is given.

    Raises:
        BenchmarkError: an answer was not 200.
    """
    before = server.cpu()
    command = [sys.executable, "-m", "benchmarks.load", str(server.port), str(connections)]
    ran = subprocess.run(
        [*command, str(count), str(requests), *([str(rate)] if rate else [])], cwd=ROOT, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    if ran.returncode != 0:
        raise BenchmarkError(f"the load failed: {ran.stderr[-300:]}")
    summary: dict[str, Any] = json.loads(ran.stdout)
    answers: dict[str, int] = summary["answers"]
    if set(answers) != {"200"}:
        raise BenchmarkError(f"not every answer was good: {answers}")
    time.sleep(_WRITTEN)
    done = answers["200"]
    return Run(
        cpu=(server.cpu() - before) / done * 1e6,
        rate=done / summary["seconds"],
        p50=summary["p50"] * 1e3,
        p99=summary["p99"] * 1e3,
    )


def requests(file: Path, method: str, path: str, bodies: Sequence[bytes], head: str = "") -> Path:
    """Writes whole requests into a file, and returns it."""
    lines = []
    for body in bodies:
        sent = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\n{head}"
        if body:
            sent += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        lines.append((sent.encode() + b"\r\n" + body).hex())
    file.write_text("\n".join(lines), encoding="ascii")
    return file


def alternating(sides: Mapping[str, Side], rounds: int) -> dict[str, list[Run]]:
    """Runs of every side, one round of each after the other, so that other load meets all of them."""
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            runs[name].append(side.round())
    return runs


def _wait(process: subprocess.Popen[bytes], port: int, ready: str) -> None:
    import httpx

    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise BenchmarkError("a server ended before it answered")
        with suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{port}{ready}").status_code == 200:  # noqa: PLR2004
                return
        time.sleep(0.05)
    raise BenchmarkError("a server did not answer in time")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
