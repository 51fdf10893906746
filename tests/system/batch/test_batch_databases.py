"""Batches out of real databases and into them: PostgreSQL and MariaDB."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from tests.servers import databases
from tests.servers.postgres_fixture import postgres, skip_without
from tests.servers.published import store

__all__ = ["postgres", "store"]


class Killed(BaseException):
    """What no code of ours catches."""


@pytest.fixture(scope="module")
def mariadb():
    skip_without("MariaDB")
    with databases.mariadb() as started:
        yield started


@pytest.fixture(params=["postgresql", "mariadb"])
def database(request, monkeypatch):
    """An empty database's address without the password, which the environment has."""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        url = make_url(server.create(f"batch_{abs(hash(request.node.name)) % 10**9}"))
    else:
        server = request.getfixturevalue("mariadb")
        url = make_url(server.url).set(drivername="mysql+pymysql")
        with create_engine(url, poolclass=NullPool).begin() as connection:
            for table in ("customers", "scores"):
                connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
    return url


@pytest.fixture
def select(database):
    def rows(query):
        with create_engine(database, poolclass=NullPool).connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    return rows
