"""Empty databases of each kind that is read and written to, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url

from tests.servers import databases
from tests.servers.postgres_fixture import skip_without

KINDS = ["postgresql", "mariadb", "sqlite", "duckdb"]


@dataclass(frozen=True)
class Database:
    """A database.

    Attributes:
        address: Its address without a password, up to `?table=`.
        engine: SQLAlchemy's, with the password; None for DuckDB.
        variable: What the password is looked for in.
        password: The password; empty where there is none.
    """

    address: str
    engine: Engine | None
    variable: str = "PGPASSWORD"
    password: str = ""


@contextmanager
def database(kind: str, folder: Path) -> Iterator[Database]:
    """An empty database; skips the test where its server is not installed."""
    if kind == "duckdb":
        yield Database(f"duckdb:///{folder}/shop.duckdb", None)
    elif kind == "sqlite":
        address = f"sqlite:///{folder}/shop.db"
        yield Database(address, create_engine(address))
    elif kind == "postgresql":
        skip_without("PostgreSQL")
        with databases.postgres() as server:
            engine = create_engine(server.url())
            address = f"postgresql://churn@127.0.0.1:{server.port}/postgres"
            yield Database(address, engine, "PGPASSWORD", server.password)
            engine.dispose()
    else:
        skip_without("MariaDB")
        with databases.mariadb() as server:
            url = make_url(server.url).set(drivername="mysql+pymysql")
            with create_engine(url.set(database="")).begin() as connection:
                connection.exec_driver_sql("CREATE DATABASE IF NOT EXISTS zenml")
            engine = create_engine(url)
            address = f"mysql://zenml@127.0.0.1:{url.port}/zenml"
            yield Database(address, engine, "MYSQL_PWD", str(url.password))
            engine.dispose()
