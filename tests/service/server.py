"""A real service in a process of its own, on a free port of this machine, stopped at the end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 30


class Service:
    """A started service.

    Attributes:
        process: the one that was started; the supervisor, where there are several workers.
        port: it listens on.
        lines: what it logged so far.
        ledger: address of its ledger.
    """

    def __init__(self, process: subprocess.Popen[str], ledger: str) -> None:
        self.process = process
        self.ledger = ledger
        self.lines: list[dict[str, Any]] = []
        self.port = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **given: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=30, **given)

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("event") == event]

    def wait_for(self, event: str, count: int = 1, seconds: float = START_SECONDS) -> None:
        until = time.monotonic() + seconds
        while len(self.logged(event)) < count:
            assert time.monotonic() < until, f"no {event!r} within {seconds} s: {self.lines[-5:]}"
            assert self.process.poll() is None or event == "stopped", self.lines[-5:]
            time.sleep(0.02)

    def workers(self) -> list[int]:
        """Process ids of the workers that are alive."""
        if not self.logged("listening")[0]["workers"] > 1:
            return [self.process.pid]
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        found = []
        for pid in map(int, listed.split()):
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            if b"spawn_main" in command:
                found.append(pid)
        return found

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(STOP_SECONDS)
        self._reader.join(5)
        return code

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.lines.append({"event": "unreadable", "text": line})


def environment(**settings: Any) -> dict[str, str]:
    """The environment of a service: nobody's CHURN_ settings but these."""
    kept = {n: v for n, v in os.environ.items() if not re.match(r"CHURN_|PYTHONDONTWRITE", n)}
    return kept | {f"CHURN_{name.upper()}": str(value) for name, value in settings.items()}


@contextmanager
def serving(store: Path, folder: Path, workers: int = 1, **settings: Any) -> Iterator[Service]:
    """A service of a store; its ledger lies in `folder` unless the settings say otherwise."""
    settings = {"ledger": f"sqlite:///{folder / 'ledger.db'}", "poll_seconds": 0.1} | settings
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "service.api",
            "--port=0",
            f"--workers={workers}",
            f"--store={store}",
        ],
        cwd=ROOT,
        env=environment(**settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    service = Service(process, str(settings["ledger"]))
    try:
        service.wait_for("listening")
        service.port = service.logged("listening")[0]["port"]
        service.wait_for("ready", workers)
        yield service
    finally:
        try:
            service.stop()
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
