"""Other programs, asked with fixed words: found before anything changes, their failures one sentence."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from queue import Empty, Queue

from churn.errors import ChurnError, InputError, one_line
from churn.root import ROOT

_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")
_MINUTES = 10


class Program:
    """A program on the PATH, with what goes before each of its commands.

    Attributes:
        spoken: as people type it.
    """

    def __init__(
        self,
        name: str,
        *first: str,
        environment: Mapping[str, str] | None = None,
        called: str | None = None,
    ) -> None:
        """Looks for nothing yet; `called` is what people type, where it is not the name."""
        self._name = name
        self._called = called or name
        self._first = first
        self._environment = dict(environment or {})

    def require(self, remedy: str) -> None:
        """Looks for the program.

        Raises:
            InputError: it is not on the PATH; `remedy` says what to do.
        """
        if shutil.which(self._name) is None:
            raise InputError(f"There is no {self._name} on the PATH; {remedy}")

    def spoken(self, *arguments: str) -> str:
        """A command as people type it."""
        words = (self._called, *self._first, *arguments)
        return "$ " + " ".join(
            word if re.fullmatch(r"[\w@%+=:,./-]+", word) else f"'{word}'" for word in words
        )

    def asked(
        self, *arguments: str, given: str | None = None, seconds: float = 60 * _MINUTES
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end, however it ends.

        Raises:
            ChurnError: it cannot be started, or has not ended in time.
        """
        try:
            return subprocess.run(
                self._words(*arguments),
                cwd=ROOT,
                env=os.environ | self._environment,
                input=given,
                stdin=subprocess.DEVNULL if given is None else None,
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            raise ChurnError(
                f"`{self.spoken(*arguments)[2:]}` has not ended within {seconds:g} s; look at what it "
                "waits for."
            ) from None
        except OSError as error:
            raise ChurnError(
                f"{self._called} cannot be started: {error.strerror or error}; install it anew."
            ) from None

    def run(self, *arguments: str, given: str | None = None, seconds: float = 60 * _MINUTES) -> str:
        """Runs a command that must end well; gives what it printed.

        Raises:
            ChurnError: it did not.
        """
        ended = self.asked(*arguments, given=given, seconds=seconds)
        if ended.returncode:
            raise ChurnError(f"`{self.spoken(*arguments)[2:]}` failed: {last_line(ended.stderr)}")
        return ended.stdout

    @contextmanager
    def forwarded(self, *arguments: str, seconds: float = 30) -> Iterator[str]:
        """The local address of a `port-forward`, for as long as the block lasts.

        Raises:
            ChurnError: nothing was forwarded in time.
        """
        with subprocess.Popen(
            self._words(*arguments),
            cwd=ROOT,
            env=os.environ | self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield f"http://127.0.0.1:{self._port(process, arguments, seconds)}"
            finally:
                process.terminate()

    def _port(
        self, process: subprocess.Popen[str], arguments: tuple[str, ...], seconds: float
    ) -> int:
        lines: Queue[str] = Queue()

        def read() -> None:
            for line in process.stdout or ():
                lines.put(line)
            lines.put("")

        threading.Thread(target=read, daemon=True).start()
        said = ""
        while True:
            try:
                line = lines.get(timeout=seconds)
            except Empty:
                line = ""
            found = _FORWARDING.search(line)
            if found:
                return int(found[1])
            if not line:
                raise ChurnError(f"`{self.spoken(*arguments)[2:]}` failed: {last_line(said)}")
            said += line

    def _words(self, *arguments: str) -> list[str]:
        return [shutil.which(self._name) or self._name, *self._first, *arguments]


def last_line(text: str) -> str:
    """The last line that says something, ending like a sentence."""
    lines = [one_line(line) for line in text.splitlines() if line.strip()]
    return f"{lines[-1].rstrip('.')}." if lines else "it does not say why."
