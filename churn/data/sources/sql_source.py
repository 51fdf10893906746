"""Tables and queries of databases, read in one snapshot through a cursor of the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from churn.data.dataset import Format
from churn.data.sources.postgresql_copy import can_copy, copied_batches
from churn.data.sources.rows_digest import RowsSource
from churn.data.sources.sql_address import SqlAddress
from churn.data.sources.sql_columns import arrow_batch, column_types
from churn.data.sources.table_source import UnreachableTableError
from churn.database_reason import database_reason
from churn.errors import ChurnError, InputError

_CONNECT_SECONDS = 10
_PART_ROWS = 1000  # so few tuples stay in the processor's cache until they are columns
_SERVERS = frozenset({"postgresql", "mysql", "mariadb"})
_DRIVERS = frozenset({"_duckdb", "duckdb", "psycopg2", "pymysql", "sqlite3"})


class SqlSource(RowsSource):
    """A table or a query of a database.

    A table's rows have no order of their own, and a server gives them in another one after any change.
    So that equal rows are an equal table, they come ordered by what the address names, or else by
    `keys`.

    Args:
        address: Where it is.
        keys: Columns that tell a table's rows apart; those that it lacks are passed over.
    """

    format: Format = "sql"

    def __init__(self, address: SqlAddress, keys: Sequence[str] = ()) -> None:
        super().__init__(address.shown, address.query or "")
        self._address, self._keys = address, keys
        self.ordered = bool(address.query or address.order_by)

    def batches(self, rows: int) -> Iterator[Any]:
        """A table's rows in the order of its keys, a query's as they come."""
        read = _duckdb_batches if self._address.backend == "duckdb" else _batches
        with reported(self._address):
            yield from read(self._address, self._keys, rows)


def _batches(address: SqlAddress, keys: Sequence[str], rows: int) -> Iterator[Any]:
    engine = engine_of(address, read_only=True)
    quote = engine.dialect.identifier_preparer.quote
    with engine.connect() as connection:
        _begin_snapshot(connection, address.backend)

        def columns(statement: str) -> list[str]:
            return list(connection.exec_driver_sql(statement).keys())

        statement = _statement(address, keys, quote, columns)
        copied = connection.dialect.driver == "psycopg2" and _copied(connection, statement, rows)
        yield from copied or _fetched(connection, address.backend, statement, rows)


def _copied(connection: Connection, statement: str, rows: int) -> Iterator[Any] | None:
    """The rows by COPY; None if a column's type is left to the driver."""
    plain = connection.execution_options(no_parameters=True)
    command = f"SELECT * FROM ({statement}\n) AS found LIMIT 0"  # noqa: S608 - a checked query
    empty: Any = plain.exec_driver_sql(command).cursor
    description = list(empty.description)
    if not can_copy(description):
        return None
    return copied_batches(connection.connection.driver_connection, statement, description, rows)


def _fetched(connection: Connection, backend: str, statement: str, rows: int) -> Iterator[Any]:
    """The rows by the driver's objects."""
    part = min(rows, _PART_ROWS)
    # `yield_per` is not heeded by exec_driver_sql: the cursor is the server's, and we ask for parts.
    options = {"stream_results": True, "max_row_buffer": part, "no_parameters": True}
    result = connection.execution_options(**options).exec_driver_sql(statement)
    names = list(result.keys())
    cursor: Any = result.cursor
    types = column_types(backend, cursor.description)
    yield arrow_batch([], names, types)
    # The driver's own tuples: SQLAlchemy's rows around them only cost time.
    while some := result.cursor_strategy.fetchmany(result, cursor, part):
        yield arrow_batch(some, names, types)


def _begin_snapshot(connection: Connection, backend: str) -> None:
    """Begins a transaction that sees one state of the database, and may not write."""
    if backend == "postgresql":
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    elif backend in ("mysql", "mariadb"):
        connection.execution_options(isolation_level="REPEATABLE READ")
        connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")


def _duckdb_batches(address: SqlAddress, keys: Sequence[str], rows: int) -> Iterator[Any]:
    import duckdb

    with closing(duckdb.connect(str(address.url.database), read_only=True)) as connection:
        statement = _statement(
            address,
            keys,
            double_quoted,
            lambda statement: list(connection.sql(statement).columns),
        )
        yield from connection.sql(statement).to_arrow_reader(rows)


def double_quoted(name: str) -> str:
    """A name as DuckDB and standard SQL quote it."""
    return '"' + name.replace('"', '""') + '"'


def _statement(
    address: SqlAddress,
    keys: Sequence[str],
    quote: Callable[[str], str],
    columns: Callable[[str], list[str]],
) -> str:
    """The query, or all of the table in its order."""
    if address.table is None:
        return str(address.query)
    table = "SELECT * FROM " + ".".join(quote(part) for part in address.table.split("."))  # noqa: S608 - quoted
    order = address.order_by
    if not order and keys:
        found = set(columns(f"{table} WHERE 1 = 0"))
        order = tuple(key for key in keys if key in found)
    return table + (" ORDER BY " + ", ".join(map(quote, order)) if order else "")


def engine_of(address: SqlAddress, *, read_only: bool) -> Engine:
    """The engine of a database, which connects on first use.

    Raises:
        NoSuchModuleError, ImportError: its driver is not installed.
    """
    url, options = address.url, {}
    if address.backend in _SERVERS and "connect_timeout" not in url.query:
        options["connect_timeout"] = _CONNECT_SECONDS
    if address.backend == "sqlite":
        # SQLite would make a file that is not there.
        file = quote(str(Path(str(url.database)).expanduser().absolute()))
        mode = "ro" if read_only else "rwc"
        url = url.set(database=f"file:{file}").update_query_dict({"mode": mode, "uri": "true"})
    return create_engine(url, hide_parameters=True, poolclass=NullPool, connect_args=options)


@contextmanager
def reported(address: SqlAddress, verb: str = "read") -> Iterator[None]:
    """Turns what a database or its driver refuses into a sentence without secrets."""
    try:
        yield
    except (NoSuchModuleError, ImportError):
        raise InputError(
            f"{address.shown} needs the driver {address.url.drivername}, which is not installed. "
            "`make setup-data` installs those of DuckDB, MySQL and MariaDB; any other that SQLAlchemy "
            "knows is read, too."
        ) from None
    except ChurnError:
        raise
    except Exception as error:
        if not isinstance(error, SQLAlchemyError | OSError) and not _is_drivers(error):
            raise
        raise UnreachableTableError(
            f"{address.shown} cannot be {verb}: {database_reason(error, address.url)}. Check the "
            "address, the names in it and the credentials in the environment."
        ) from None


def _is_drivers(error: Exception) -> bool:
    """Whether a driver raised an error itself: each has a class of its own for it."""
    return any(
        kind.__name__ == "Error" and kind.__module__.partition(".")[0] in _DRIVERS
        for kind in type(error).__mro__
    )
