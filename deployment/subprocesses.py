"""Runs other programs: `docker`, `kubectl`, Python modules; a failure becomes one sentence."""

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
_SECONDS = 600.0


class Program:
    """A program on the PATH, with the first arguments of each of its commands."""

    def __init__(
        self,
        name: str,
        *first: str,
        environment: Mapping[str, str] | None = None,
        display_name: str | None = None,
    ) -> None:
        """Starts nothing.

        Args:
            name: Name or path of the program.
            *first: Arguments that come first in each command.
            environment: Variables to add to this process's own.
            display_name: Name in messages; `name` if None.
        """
        self._name = name
        self._display_name = display_name or name
        self._first = first
        self._environment = dict(environment or {})

    def require(self, remedy: str) -> None:
        """Raises InputError if the program is not on the PATH; its sentence ends with the remedy."""
        if shutil.which(self._name) is None:
            raise InputError(f"There is no {self._name} on the PATH; {remedy}")

    def command_line(self, *arguments: str) -> str:
        """Returns a command as people type it, after `$ `."""
        words = (self._display_name, *self._first, *arguments)
        return "$ " + " ".join(
            word if re.fullmatch(r"[\w@%+=:,./-]+", word) else f"'{word}'" for word in words
        )

    def run_unchecked(
        self, *arguments: str, stdin: str | None = None, seconds: float = _SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command and returns its result, whatever its exit code.

        Raises:
            ChurnError: it cannot be started, or has not ended in time.
        """
        try:
            return subprocess.run(
                self._command(*arguments),
                cwd=ROOT,
                env=os.environ | self._environment,
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            raise ChurnError(
                f"`{self.command_line(*arguments)[2:]}` has not ended within {seconds:g} s; look at "
                "what it waits for."
            ) from None
        except OSError as error:
            raise ChurnError(
                f"{self._display_name} cannot be started: {error.strerror or error}; install it anew."
            ) from None

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Runs a command that must succeed, and returns what it printed.

        Raises:
            ChurnError: it failed.
        """
        result = self.run_unchecked(*arguments, stdin=stdin)
        if result.returncode:
            raise self._failed(arguments, result.stderr)
        return result.stdout

    @contextmanager
    def port_forward(self, *arguments: str, seconds: float = 30) -> Iterator[str]:
        """Runs a `kubectl port-forward` for as long as the block lasts; yields its local URL.

        Raises:
            ChurnError: nothing was forwarded in time.
        """
        with subprocess.Popen(
            self._command(*arguments),
            cwd=ROOT,
            env=os.environ | self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield f"http://127.0.0.1:{self._forwarded_port(process, arguments, seconds)}"
            finally:
                process.terminate()

    def _forwarded_port(
        self, process: subprocess.Popen[str], arguments: tuple[str, ...], seconds: float
    ) -> int:
        lines: Queue[str] = Queue()

        def read() -> None:
            for line in process.stdout or ():
                lines.put(line)
            lines.put("")

        threading.Thread(target=read, daemon=True).start()
        output = ""
        while True:
            try:
                line = lines.get(timeout=seconds)
            except Empty:
                line = ""
            match = _FORWARDING.search(line)
            if match:
                return int(match[1])
            if not line:
                raise self._failed(arguments, output)
            output += line

    def _command(self, *arguments: str) -> list[str]:
        return [shutil.which(self._name) or self._name, *self._first, *arguments]

    def _failed(self, arguments: tuple[str, ...], output: str) -> ChurnError:
        return ChurnError(f"`{self.command_line(*arguments)[2:]}` failed: {last_line(output)}")


def last_line(text: str) -> str:
    """Returns the last line that is not blank, ending like a sentence."""
    lines = [one_line(line) for line in text.splitlines() if line.strip()]
    return f"{lines[-1].rstrip('.')}." if lines else "it does not say why."
