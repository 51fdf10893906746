"""The database behind the ledger: any that SQLAlchemy knows, and errors that keep its secrets."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, MetaData, Select, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, ProgrammingError, SQLAlchemyError

from churn.database_reason import database_reason
from churn.errors import InputError
from churn.ledger.ledger_tables import HISTORIES, PERMANENT, History
from churn.ledger.migrate import migrate, record_revision, recorded_revision
from churn.ledger.private_file import make_private
from churn.ledger.write_ahead_log import begin_write_ahead_log

POSTGRES_LOCK = int.from_bytes(b"churn")
"""Advisory lock of whoever makes or removes tables."""
LOCK_SECONDS = 30.0


class DatabaseLedger:
    """What every ledger is: records in one database, whose tables are made on first use.

    Opening touches nothing. Threads may share one; processes may share the database. A method
    that reads or writes raises `InputError` where the database cannot be used.

    Attributes:
        schema: the tables.
        application_id: of an SQLite file with these tables, by which SQLite tells files apart.
    """

    schema: MetaData = PERMANENT
    application_id: ClassVar[int] = 0

    def __init__(self, url: str | URL, *, lock_seconds: float = LOCK_SECONDS) -> None:
        """Takes a database's address, as SQLAlchemy writes it.

        Args:
            url: `sqlite:///` and a path, `postgresql+psycopg://...` or another address.
            lock_seconds: how long it waits for a lock of another, on SQLite and PostgreSQL.

        Raises:
            InputError: that is not an address, or the driver for it is not installed.
        """
        self._url = _parsed(url)
        self._lock_seconds = lock_seconds
        self._engine = _engine(self._url, lock_seconds)
        self._ready = False

    @property
    def place(self) -> str:
        """Where the ledger is, without user, password or options."""
        return _place(self._url)

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database; None on a server or in memory."""
        return _file(self._url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the database's connections."""
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection in one transaction: all of it is kept, or none."""
        with self.reported():
            if not self._ready:
                self.make_tables()
                self._ready = True
            with self._engine.begin() as connection:
                yield connection

    @contextmanager
    def reported(self) -> Iterator[None]:
        """Turns what the database or its files refuse into an `InputError` that says which ledger it is."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, OSError, ValueError) as error:
            # ValueError: what a driver refuses by itself, such as a NUL in a PostgreSQL text.
            raise InputError(
                f"The ledger at {self.place} cannot be used: {database_reason(error, self._url)}. Check "
                "that the database is there and may be written to, or name another address."
            ) from None

    def rows(self, query: Select[Any]) -> list[dict[str, Any]]:
        """A query's rows without their key, times in UTC."""
        with self.transaction() as connection:
            return [row_in_utc(row) for row in connection.execute(query).mappings()]

    @property
    def history(self) -> History:
        """The revisions of its tables."""
        return HISTORIES[self.schema]

    def make_tables(self) -> None:
        """Makes the tables where they are missing, and migrates those of an earlier release.

        All of them or none, and one process at a time.
        """
        if self.file is not None:
            make_private(self.file)
        with self._engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                self._make_sqlite_tables(connection)
                return
            if connection.dialect.name == "postgresql":
                lock_postgres(connection)
            self._make_server_tables(connection)

    def _make_server_tables(self, connection: Connection) -> None:
        today = self.history.revision
        missing = set(self.schema.tables) - set(inspect(connection).get_table_names())
        # Release 0.1.0 recorded none, and had the first revision's tables.
        found = recorded_revision(connection, self.history) or (0 if missing else 1)
        if missing == set(self.schema.tables):
            self.schema.create_all(connection)
        else:
            self._migrate(connection, found)
        if missing or found != today:
            record_revision(connection, self.history, today)

    def _make_sqlite_tables(self, connection: Connection) -> None:
        def pragma(name: str) -> int:
            return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())

        today = self.history.revision
        if pragma("user_version") != today:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        found = pragma("user_version")
        is_empty = pragma("schema_version") == 0
        # The permanent tables' id is SQLite's default, 0: other programs' files have it, too.
        if (found <= today and not is_empty) and (
            pragma("application_id") != self.application_id
            or not {*self.schema.tables} & {*inspect(connection).get_table_names()}
        ):
            raise InputError(
                f"{self.place} is an SQLite database, but not a ledger of this kind. Move it "
                "away, or name another address."
            )
        if is_empty:
            self.schema.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA application_id = {self.application_id}")
        else:
            if 0 < found < today:
                record_revision(connection, self.history, found)
            self._migrate(connection, found)
        if found != today:
            connection.exec_driver_sql(f"PRAGMA user_version = {today}")

    def _migrate(self, connection: Connection, found: int) -> None:
        """Migrates tables of revision `found`; refuses those of a release that is newer than this."""
        today = self.history.revision
        if found > today:
            raise InputError(
                f"The ledger at {self.place} was written by a newer release (version {found} of its "
                f"tables, this release knows {today}). Use that release, or another ledger."
            )
        if found < today:
            try:
                migrate(connection, self.history)
            except ProgrammingError as error:
                raise InputError(
                    f"The ledger at {self.place} has the tables of an earlier release, and this "
                    f"account may not change them: {database_reason(error, self._url)}. Open the "
                    "ledger once with the account that owns them."
                ) from None


def row_in_utc(row: Any) -> dict[str, Any]:
    """A row without its key, times with their zone, which SQLite forgets; all are written in UTC."""
    return {name: _in_utc(value) for name, value in row.items() if name != "id"}


def lock_postgres(connection: Connection) -> None:
    """Waits until no other transaction makes or removes tables; holds until this one ends."""
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({POSTGRES_LOCK})")


def _in_utc(value: object) -> object:
    if not isinstance(value, datetime):
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _parsed(url: str | URL) -> URL:
    # Nothing of the text is repeated: what cannot be parsed may be a password.
    with suppress(ArgumentError):
        parsed = make_url(url)
        if not (parsed.database or "").startswith(
            "file:"
        ):  # an SQLite URI, whose file is not known
            return parsed
    raise InputError(
        "The ledger's address is not a database address. Write it like "
        "sqlite:///FILE or postgresql+psycopg://user:password@host/database."
    )


def _file(url: URL) -> Path | None:
    in_memory = url.database in (None, "", ":memory:")
    return None if url.get_backend_name() != "sqlite" or in_memory else Path(str(url.database))


def _engine(url: URL, lock_seconds: float) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    file = _file(url)
    try:
        engine = create_engine(
            # SQLite itself must make no file: it would have the umask's mode.
            url if file is None else url.set(database=f"file:{quote(str(file.absolute()))}")
            .update_query_dict({"mode": "rw", "uri": "true"}),
            hide_parameters=True,
            pool_pre_ping=not sqlite,
            connect_args={"timeout": lock_seconds} if sqlite else {},
        )  # fmt: skip
    except (ImportError, NoSuchModuleError):
        raise InputError(
            f"The ledger at {_place(url)} needs the database driver {url.drivername!r}, which is "
            "not installed. Install it, or keep the ledger in SQLite."
        ) from None
    if sqlite:
        event.listen(engine, "connect", partial(_set_up_sqlite, lock_seconds))
    elif url.get_backend_name() == "postgresql":
        event.listen(engine, "connect", partial(_set_up_postgresql, lock_seconds))
    return engine


def _set_up_sqlite(lock_seconds: float, connection: sqlite3.Connection, _record: object) -> None:
    begin_write_ahead_log(connection, lock_seconds)


def _set_up_postgresql(lock_seconds: float, connection: Any, _record: object) -> None:
    """PostgreSQL itself would wait for a lock without end."""
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = {round(lock_seconds * 1000)}")
    cursor.close()
    connection.commit()


def _place(url: URL) -> str:
    host = f"{url.host}{f':{url.port}' if url.port else ''}/" if url.host else ""
    return f"{url.get_backend_name()}:{host}{url.database or '(memory)'}"
