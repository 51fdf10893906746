"""A server in a process of its own, on a free port of this machine, stopped at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

TIMEOUT = 180  # seconds; the slowest server needs a tenth of it on an idle machine
STOP_SECONDS = 60

DEBIAN = {
    "Alertmanager": (("amtool",), "prometheus-alertmanager"),
    "MariaDB": (("mariadbd", "mariadb-install-db"), "mariadb-server"),
    "PostgreSQL": (("postgres", "initdb"), "postgresql"),
    "Prometheus": (("prometheus", "promtool"), "prometheus"),
}
"""Servers of Debian -> their programs and the package."""

_PLACES = ("/usr/sbin", "/usr/bin", "/usr/local/bin", "/usr/lib/postgresql/*/bin")


def program(name: str) -> str:
    """Path of a program, on the PATH or in Debian's folders.

    Raises:
        FileNotFoundError: it is in none of them.
    """
    if found := shutil.which(name):
        return found
    for place in _PLACES:
        anchor, pattern = Path("/"), f"{place[1:]}/{name}"
        for path in sorted(anchor.glob(pattern), reverse=True):  # the newest first
            return str(path)
    raise FileNotFoundError(name)


def missing(*servers: str) -> str:
    """Why one of these servers cannot run here, in a sentence; empty where all can."""
    for server in servers:
        programs, package = DEBIAN[server]
        try:
            for each in programs:
                program(each)
        except FileNotFoundError:
            return f"{server} is not installed here: apt-get install {package}"
    return ""


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether a server of this machine accepts connections on a port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def own_folder(folder: Path, user: str | None) -> Path:
    """A new folder that belongs to the server's user."""
    folder.mkdir()
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    return folder


def unprivileged(*names: str) -> str | None:
    """User of a server that refuses to run as root; None for the user of the tests."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in (*names, "nobody") if name in known)


class Server:
    """A started program.

    Attributes:
        name: its name in a message.
        seconds: from its start to its first answer; 0 before that.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Starts it; `wait` waits until it answers."""
        self.name = name
        self.seconds = 0.0
        self._log = log
        self._began = time.perf_counter()
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                env={**os.environ, **(environment or {})},
                user=user,
                group=user and pwd.getpwnam(user).pw_gid,
                extra_groups=[] if user else None,
                start_new_session=True,
            )

    def wait(self, answers: Callable[[], bool]) -> None:
        """Waits until it answers.

        Raises:
            AssertionError: it ended, or does not answer; with the end of its log.
        """
        until = time.monotonic() + TIMEOUT
        while not answers():
            ended = self._process.poll()
            assert ended is None, f"{self.name} ended with {ended}:\n{self.log_tail()}"
            assert time.monotonic() < until, f"{self.name} does not answer:\n{self.log_tail()}"
            time.sleep(0.05)
        self.seconds = time.perf_counter() - self._began

    def log_tail(self) -> str:
        """The end of its log."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-3000:]

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stops it with a signal, and kills it if it does not end."""
        if self._process.poll() is None:
            self._process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        # What it started itself: a program with workers may leave them behind.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def finish(command: list[str], user: str | None) -> None:
    """Runs a program to its end."""
    ended = subprocess.run(
        command, user=user, capture_output=True, text=True, check=False, cwd="/", timeout=300
    )
    assert ended.returncode == 0, f"{command[0]}:\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}"


@contextmanager
def empty_folder(user: str | None) -> Iterator[Path]:
    """A folder that the server's user may enter: other users may not enter pytest's own."""
    above = Path(tempfile.mkdtemp(prefix="churn-server-"))
    above.chmod(0o755)
    try:
        yield own_folder(above / "folder", user)
    finally:
        for _ in range(40):  # a database's last children may still be writing
            shutil.rmtree(above, ignore_errors=True)
            if not above.exists():
                break
            time.sleep(0.25)
