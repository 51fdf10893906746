"""`make stream-demo`, its processes and its keys, on a real terminal of 80 columns."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.servers.logged_process import environment
from tests.servers.published import published_store, store, trained

__all__ = ["published_store", "store", "trained"]

SECONDS = 240


class Terminal:
    """A program on a terminal of 80 columns and 30 lines."""

    def __init__(self, command: list[str], variables: dict[str, str], root: Path) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 80, 0, 0))
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=root, env=variables
        )
        os.close(theirs)
        self._terminal = ours
        self.shown = ""

    def wait_for(self, text: str) -> None:
        until = time.monotonic() + SECONDS
        while text not in self.shown:
            assert time.monotonic() < until, self.shown[-3000:]
            assert self._read(), self.shown[-3000:]

    def press(self, key: str) -> int:
        """Presses a key, and returns the exit code."""
        os.write(self._terminal, key.encode())
        while self._read():
            pass
        return self.process.wait(SECONDS)

    def _read(self) -> bool:
        """Reads what comes; False at the end."""
        if not select.select([self._terminal], [], [], 1)[0]:
            return True
        try:
            read = os.read(self._terminal, 65536)
        except OSError:  # how Linux says that nobody has the other side any more
            return False
        self.shown += read.decode("utf-8", "replace")
        return bool(read)


@pytest.fixture
def variables(store, tmp_path):
    settings = environment(home=tmp_path / "home", store=store)
    return settings | {"TERM": "xterm-256color", "LANG": "C.UTF-8"}


def test_q_ends_broker_worker_and_simulator_and_leaves_nothing(variables, root, tmp_path):
    command = [sys.executable, "-m", "service.stream.demo", "--rate", "50"]
    terminal = Terminal(command, variables, root)
    try:
        terminal.wait_for("synthetic-7-")  # a customer at high risk
        terminal.wait_for("month to month")  # and a reason
        assert len(running_with(tmp_path)) >= 4
        assert terminal.press("q") == 0
    finally:
        terminal.process.kill()
    assert " scored, " in terminal.shown.splitlines()[-1]
    assert [each.name for each in (tmp_path / "home" / "scratch").glob("stream-demo*")] == []
    assert running_with(tmp_path) == []


def running_with(folder: Path) -> list[str]:
    """The processes whose environment names a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(folder).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def test_without_a_terminal_it_prints_lines_and_ends(variables, root):
    command = [sys.executable, "-m", "service.stream.demo", "--rate", "50", "--seconds", "5"]
    ended = subprocess.run(
        command,
        env=variables,
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert 2 <= len(lines) <= 7
    assert all("scores/s, lag " in line for line in lines)
