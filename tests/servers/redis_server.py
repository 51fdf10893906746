"""A real Redis."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.servers.process import Server, free_port, listens


def redis_program() -> str:
    """Where the server is; without one the test is skipped."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (Debian: apt-get install redis-server)")
    return program


class RedisServer:
    """Debian's redis-server, not started yet.

    Attributes:
        address: with its password.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self._port = free_port()
        self._log = folder / "redis-log"
        self._command = [program, "--port", str(self._port), "--bind", "127.0.0.1",
                         "--requirepass", "for-tests", "--save", "", "--dir", str(folder)]  # fmt: skip
        self._server: Server | None = None
        self.address = f"redis://:for-tests@127.0.0.1:{self._port}/0"

    def start(self) -> None:
        self._server = Server("Redis", self._command, self._log)
        self._server.wait(lambda: listens(self._port))

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()


@pytest.fixture(scope="session")
def running_redis(tmp_path_factory):
    """Address of a Redis that the tests of a process share."""
    server = RedisServer(redis_program(), tmp_path_factory.mktemp("redis"))
    server.start()
    yield server.address
    server.stop()
