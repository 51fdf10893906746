"""One of this project's own servers in a process of its own; what it logs is read as it comes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60


def environment(**settings: Any) -> dict[str, str]:
    """The environment of a server: nobody's CHURN_ settings but these."""
    kept = {n: v for n, v in os.environ.items() if not re.match(r"CHURN_|PYTHONDONTWRITE", n)}
    return kept | {f"CHURN_{name.upper()}": str(value) for name, value in settings.items()}


class LoggedProcess:
    """A started server.

    Attributes:
        process: its process.
        lines: what it logged so far.
    """

    def __init__(self, module: str, *arguments: str, **settings: Any) -> None:
        """Starts a module with arguments and settings."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=environment(**settings),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Every line about an event so far."""
        return [line for line in self.lines if line.get("event") == event]

    def wait_for(self, event: str, count: int = 1) -> dict[str, Any]:
        """Waits until an event was logged so often; the first line about it.

        Raises:
            AssertionError: the process ended without it, or it takes too long.
        """
        until = time.monotonic() + SECONDS
        while len(self.logged(event)) < count:
            if self.process.poll() is not None:
                self._reader.join(5)  # its last lines may still be on their way
                assert len(self.logged(event)) >= count, f"ended: {self.lines[-5:]}"
            assert time.monotonic() < until, f"no {event!r} within {SECONDS} s: {self.lines[-5:]}"
            time.sleep(0.02)
        return self.logged(event)[0]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Asks it to stop and waits for its end: its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(SECONDS)
        self._reader.join(5)
        return code

    def kill(self) -> None:
        """Ends it without asking, where it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.lines.append({"event": "unreadable", "text": line})
