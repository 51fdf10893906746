"""Customers are read from files and databases for little more than the readers below cost."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.goals import Figure
from benchmarks.measuring import BenchmarkError
from benchmarks.trainings import Trainings
from churn.contract import load_contract
from churn.data.sources import open_sink, open_source
from churn.root import ROOT

SECONDS = 0.67  # of a million rows of parquet: 1.5 million a CPU-second
OVER_DRIVER = 1.3
_PART = 65_536
_QUERY = 'SELECT * FROM customers ORDER BY "customerID"'
_MYSQL_QUERY = _QUERY.replace('"', "`")
_HOW = "rows of 21 texts, over its driver alone, same ORDER BY, alternating, CPU of this process"


def measure(trainings: Trainings) -> Iterator[Figure]:
    """CPU of parquet's rows, and of a database's over that of its driver."""
    rounds = 2 if trainings.quick else 5
    count = 50_000 if trainings.quick else 200_000
    folder = trainings.folder / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    texts = _texts(open_source(f"generated:{count}?seed=7", contract))

    file = folder / "customers.parquet"
    open_sink(str(file)).write([texts])
    seconds = tuple(_cpu(lambda: _read(str(file))) * 1e6 / count for _ in range(rounds))
    how = f"{count:,} rows of 21 texts, every chunk, CPU of this process, for a million"
    yield Figure("a million rows of parquet into columns", SECONDS, "s CPU", seconds, how)
    with ExitStack() as stack:
        for name, address, driver in _databases(stack, folder):
            open_sink(address.partition("&")[0]).write([texts])
            ratios = []
            for _ in range(rounds):
                ours = _cpu(lambda address=address: _read(address))  # type: ignore[misc]
                ratios.append(ours / _cpu(driver))
            goal = f"rows of {name} over its driver alone"
            yield Figure(goal, OVER_DRIVER, "x", tuple(ratios), f"{count:,} {_HOW}")


def _databases(stack: ExitStack, folder: Path) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """Name, address of the table, and how the driver alone reads it."""
    file = folder / "customers.sqlite"
    yield (
        "SQLite",
        f"sqlite:///{file}?table=customers&order_by=customerID",
        lambda: _fetch(sqlite3.connect(file)),
    )
    duck = folder / "customers.duckdb"
    yield (
        "DuckDB",
        f"duckdb:///{duck}?table=customers&order_by=customerID",
        lambda: _fetch_duckdb(duck),
    )
    from tests.servers import databases
    from tests.servers.process import missing

    if reason := missing("PostgreSQL"):
        raise BenchmarkError(reason)
    import psycopg2

    server = stack.enter_context(databases.postgres())
    stack.enter_context(_variable("PGPASSWORD", server.password))
    place = (
        f"postgresql://churn@127.0.0.1:{server.port}/postgres?table=customers&order_by=customerID"
    )
    yield (
        "PostgreSQL",
        place,
        lambda: _fetch(psycopg2.connect(server.url()), name="all_rows"),
    )
    yield _mariadb(stack)


def _mariadb(stack: ExitStack) -> tuple[str, str, Callable[[], None]]:
    """An empty database on a server, as `_databases` yields them."""
    from sqlalchemy import make_url

    from tests.servers import databases
    from tests.servers.process import missing

    if reason := missing("MariaDB"):
        raise BenchmarkError(reason)
    import pymysql
    from pymysql.cursors import SSCursor

    url = make_url(stack.enter_context(databases.mariadb()).url)
    stack.enter_context(_variable("MYSQL_PWD", str(url.password)))
    login = {"host": url.host, "port": url.port, "user": url.username, "password": url.password}
    with closing(pymysql.connect(**login)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS shop")
    place = f"mysql://{url.username}@{url.host}:{url.port}/shop?table=customers&order_by=customerID"

    def driver() -> None:
        _fetch(pymysql.connect(**login, database="shop", cursorclass=SSCursor), _MYSQL_QUERY)

    return "MariaDB", place, driver


def _texts(source: Any) -> pa.Table:
    """Every column as text, so that all drivers make the same values."""
    table = pa.concat_tables([chunk.table for chunk in source.chunks()])
    return pa.table({name: pc.cast(table[name], pa.string()) for name in table.column_names})


def _read(address: str) -> None:
    source = open_source(address)
    for _ in source.chunks(_PART):
        pass
    source.digest()


def _fetch(connection: Any, query: str = _QUERY, **named: str) -> None:
    """All rows as tuples; a named cursor is the server's."""
    with closing(connection), closing(connection.cursor(**named)) as cursor:
        cursor.execute(query)
        while cursor.fetchmany(_PART):
            pass


def _fetch_duckdb(file: Path) -> None:
    import duckdb

    with closing(duckdb.connect(str(file), read_only=True)) as connection:
        for _ in connection.sql(_QUERY).to_arrow_reader(_PART):
            pass


def _cpu(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


@contextlib.contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """A variable of the environment, as it was before afterwards."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before
