"""A real service in a process of its own, on a free port of this machine, stopped at the end."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.servers.logged_process import LoggedProcess


class Service(LoggedProcess):
    """A started service; its process is the supervisor, where there are several workers.

    Attributes:
        port: it listens on; 0 before it does.
        ledger: address of its ledger.
    """

    def __init__(self, store: Path | str, workers: int, **settings: Any) -> None:
        """Starts it on a store."""
        self.port = 0
        self.ledger = str(settings["ledger"])
        arguments = ("--port=0", f"--workers={workers}", f"--store={store}")
        super().__init__("service.api", *arguments, **settings)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **given: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=30, **given)

    def memory(self) -> float:
        """Resident megabytes of its process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024

    def sockets(self) -> int:
        """How many its process has open: connections, the listening one and the event loop's own."""
        counted = 0
        for each in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed since it was listed
                counted += str(each.readlink()).startswith("socket:")
        return counted

    @staticmethod
    def peek(connection: socket.socket) -> bytes:
        """What the service has sent so far; nothing if it has sent nothing."""
        with suppress(BlockingIOError):
            return connection.recv(100, socket.MSG_DONTWAIT)
        return b""

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


@contextmanager
def serving(
    store: Path | str, folder: Path, workers: int = 1, **settings: Any
) -> Iterator[Service]:
    """A service of a store; its ledger lies in `folder` unless the settings say otherwise."""
    own = {
        "ledger": f"sqlite:///{folder / 'ledger.db'}",
        "online_store": f"sqlite:///{folder / 'online.db'}",
        "poll_seconds": 0.1,
        "scratch_folder": folder / "scratch",
    }
    service = Service(store, workers, **(own | settings))
    try:
        service.port = service.wait_for("listening")["port"]
        service.wait_for("ready", workers)
        yield service
    finally:
        try:
            service.stop()
        except subprocess.TimeoutExpired:
            service.kill()


def sample(page: str) -> dict[str, float]:
    """Series -> value, labels in alphabetical order."""
    found = {}
    for line in page.splitlines():
        if line.startswith("#"):
            continue
        name, value = line.rsplit(" ", 1)
        if "{" in name:
            name, labels = name[:-1].split("{", 1)
            name = f"{name}{{{','.join(sorted(labels.split(',')))}}}"
        found[name] = float(value)
    return found
