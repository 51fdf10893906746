"""PostgreSQL as a fixture, started once a session; a folder's conftest imports it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import databases
from tests.servers.process import missing


@pytest.fixture(scope="session")
def postgres() -> Iterator[databases.Postgres]:
    """A PostgreSQL server; skips where the server is not installed."""
    skip_without("PostgreSQL")
    with databases.postgres() as started:
        yield started


def skip_without(server: str) -> None:
    """Skips where a server of Debian's is missing, and says how to install it."""
    if reason := missing(server):
        pytest.skip(reason)
