"""The cloud's services, each started when the first test asks for it, stopped after the last."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # `servers` and `services` are these tests' own

import services
from servers import missing


def needs_debian() -> None:
    """Skips where Debian's servers are missing, and says which and how to get it."""
    if reason := missing():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres() -> Iterator[services.Postgres]:
    needs_debian()
    with services.postgres() as started:
        yield started


@pytest.fixture(scope="session")
def bucket() -> Iterator[services.Bucket]:
    with services.bucket() as started:
        yield started


@pytest.fixture(scope="session")
def mariadb() -> Iterator[services.MariaDb]:
    needs_debian()
    with services.mariadb() as started:
        yield started


@pytest.fixture(scope="session")
def zenml_server(mariadb: services.MariaDb) -> Iterator[services.ZenServer]:
    with services.zenml_server(mariadb) as started:
        yield started


@pytest.fixture(scope="session")
def mlflow_server(postgres: services.Postgres, bucket: services.Bucket) -> Iterator[services.Web]:
    with services.mlflow_server(postgres.create("mlflow"), bucket) as started:
        yield started
