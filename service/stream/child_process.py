"""A process that a demonstration starts, watches and ends."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from churn.errors import ChurnError, one_line
from churn.root import ROOT

_STOP_SECONDS = 15


class ChildProcess:
    """A started program, whose output goes to a file.

    Attributes:
        name: what it is, in a message.
    """

    def __init__(
        self, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> None:
        """Starts it; Ctrl-C in the terminal does not reach it."""
        self.name = name
        self._log = folder / f"{name}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT,
                env=dict(environment), start_new_session=True,
            )  # fmt: skip

    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def check(self) -> None:
        """Checks that it runs.

        Raises:
            ChurnError: it has ended.
        """
        if self._process.poll() is not None:
            raise ChurnError(f"The {self.name} has ended: {self.last_line()}")

    def last_line(self) -> str:
        """The last line that it has written, or the reason in it."""
        lines = self.log().strip().splitlines() or [f"exit code {self._process.returncode}."]
        with suppress(ValueError, AttributeError):
            if reason := json.loads(lines[-1]).get("reason"):
                return str(reason)
        return one_line(lines[-1])

    def stop(self) -> None:
        """Ends it: asks first, and kills it if it does not listen."""
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_SECONDS)
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
