"""The database behind the ledger: any that SQLAlchemy knows, and errors that keep its secrets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, Select, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from churn.errors import InputError
from churn.ledger.ledger_tables import SCHEMA

DEFAULT_URL = "sqlite:///.churn/ledger.db"

_LOCK_SECONDS = 30.0


class DatabaseLedger:
    """What every ledger is: records in one database, whose tables are made on first use.

    Opening touches nothing. Threads may share one; processes may share the database. A method
    that reads or writes raises `InputError` where the database cannot be used.
    """

    def __init__(self, url: str = DEFAULT_URL, *, lock_seconds: float = _LOCK_SECONDS) -> None:
        """Takes a database's address, as SQLAlchemy writes it.

        Args:
            url: `sqlite:///` and a path, `postgresql+psycopg://...` or another address.
            lock_seconds: how long it waits for a lock of another, on SQLite and PostgreSQL.

        Raises:
            InputError: that is not an address, or the driver for it is not installed.
        """
        self._url = _parsed(url)
        self._engine = _engine(self._url, lock_seconds)
        self._ready = False

    @property
    def place(self) -> str:
        """Where the ledger is, without user, password or options."""
        return _place(self._url)

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
    def _transaction(self) -> Iterator[Connection]:
        """A connection in one transaction: all of it is kept, or none."""
        try:
            if not self._ready:
                self._make_tables()
                self._ready = True
            with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError, ValueError) as error:
            # ValueError: what a driver refuses by itself, such as a NUL in a PostgreSQL text.
            raise InputError(
                f"The ledger at {self.place} cannot be used: {_reason(error, self._url)}. Check "
                "that the database is there and may be written to, or name another address."
            ) from None

    def _rows(self, query: Select[Any]) -> list[dict[str, Any]]:
        """A query's rows without their key, times in UTC."""
        with self._transaction() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            {name: _in_utc(value) for name, value in row.items() if name != "id"} for row in rows
        ]

    def _make_tables(self) -> None:
        file = self._url.database
        if self._url.get_backend_name() == "sqlite" and file and file != ":memory:":
            Path(file).parent.mkdir(parents=True, exist_ok=True)
        # Another process may make a table in between, once for each; what else is wrong stays so.
        for _ in SCHEMA.tables:
            with suppress(SQLAlchemyError):
                SCHEMA.create_all(self._engine)
                return
        SCHEMA.create_all(self._engine)


def _in_utc(value: object) -> object:
    """A time with its zone, which SQLite forgets; every time is written in UTC."""
    if not isinstance(value, datetime):
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _parsed(url: str) -> URL:
    # Nothing of the text is repeated: what cannot be parsed may be a password.
    try:
        return make_url(url)
    except ArgumentError:
        raise InputError(
            "The ledger's address is not a database address. Write it like "
            f"{DEFAULT_URL} or postgresql+psycopg://user:password@host/database."
        ) from None


def _engine(url: URL, lock_seconds: float) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=not sqlite,
            connect_args={"timeout": lock_seconds} if sqlite else {},
        )
    except (ImportError, NoSuchModuleError):
        raise InputError(
            f"The ledger at {_place(url)} needs the database driver {url.drivername!r}, which is "
            "not installed. Install it, or keep the ledger in SQLite."
        ) from None
    if sqlite:
        event.listen(engine, "connect", _set_up_sqlite)
    elif url.get_backend_name() == "postgresql":
        event.listen(engine, "connect", partial(_set_up_postgresql, lock_seconds))
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:
    """Readers and a writer do not wait for each other in a write-ahead log."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.close()


def _set_up_postgresql(lock_seconds: float, connection: Any, _record: object) -> None:
    """PostgreSQL itself would wait for a lock without end."""
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = {round(lock_seconds * 1000)}")
    cursor.close()
    connection.commit()


def _place(url: URL) -> str:
    host = f"{url.host}{f':{url.port}' if url.port else ''}/" if url.host else ""
    return f"{url.get_backend_name()}:{host}{url.database or '(memory)'}"


def _reason(error: Exception, url: URL) -> str:
    """Why the database refused: the driver's first line, without what the address keeps secret."""
    cause = getattr(error, "orig", None) or error
    strerror = cause.strerror if isinstance(cause, OSError) else None
    text = (strerror or str(cause) or type(cause).__name__).strip().partition("\n")[0]
    secrets = [
        url.password,
        *(value for values in url.normalized_query.values() for value in values),
    ]
    for secret in filter(None, secrets):
        text = text.replace(str(secret), "***")
    return text.rstrip(". ")
