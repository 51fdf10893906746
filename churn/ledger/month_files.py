"""Predictions and outcomes in SQLite: a file for each month, `ledger-2026-11.db` beside `ledger.db`."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, date
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, MetaData, inspect, select
from sqlalchemy.exc import OperationalError

from churn.errors import InputError
from churn.ledger.database import DatabaseLedger
from churn.ledger.ledger_tables import MONTHLY, OUTCOMES, PREDICTIONS
from churn.ledger.months import month_of
from churn.ledger.private_file import sqlite_files


class MonthFile(DatabaseLedger):
    """Predictions and outcomes of one month."""

    schema: MetaData = MONTHLY
    application_id: ClassVar[int] = int.from_bytes(b"Chrn")

    def __init__(self, url: URL, month: date, lock_seconds: float) -> None:
        super().__init__(url, lock_seconds=lock_seconds)
        self.month = month


class MonthFiles:
    """The months of one ledger.

    A file is one of them by its name and by the application id in it: a copy of `ledger.db` that
    somebody has named like a month is neither read nor removed. One that cannot be read is an error:
    it may be a month.
    """

    def __init__(self, url: URL, file: Path, lock_seconds: float) -> None:
        self._url = url
        self._lock_seconds = lock_seconds
        self._file = file
        stem, suffix = re.escape(file.stem), re.escape(file.suffix)
        self._month = re.compile(rf"{stem}-([1-9]\d{{3}}-(?:0[1-9]|1[0-2])){suffix}")

    def open(self, month: date) -> MonthFile:
        """A month's database; its file is made on first use."""
        url = self._url.set(database=str(self._path(month)))
        return MonthFile(url, month, self._lock_seconds)

    def named(self) -> list[date]:
        """The months that a file has the name of, oldest first."""
        names = (self._month.fullmatch(file.name) for file in self._file.parent.iterdir())
        return sorted(date.fromisoformat(f"{name[1]}-01") for name in names if name)

    def has(self, month: date) -> bool:
        """Whether the file of that name is a month of a ledger.

        Raises:
            InputError: it cannot be read.
        """
        return _is_month_file(self._path(month))

    def remove(self, month: date) -> bool:
        """Deletes a month; whether it was this process that did."""
        file, *beside = sqlite_files(self._path(month))
        for each in beside:
            each.unlink(missing_ok=True)
        try:
            file.unlink()
        except FileNotFoundError:
            return False
        return True

    def bytes(self) -> int:
        """Bytes of all files of the ledger."""
        with os.scandir(self._file.parent) as entries:
            return sum(self._size(entry) for entry in entries)

    def _size(self, entry: os.DirEntry[str]) -> int:
        name = entry.name.removesuffix("-wal").removesuffix("-shm")
        if name != self._file.name and not self._month.fullmatch(name):
            return 0
        try:
            return entry.stat().st_size
        except FileNotFoundError:  # removed in between
            return 0

    def _path(self, month: date) -> Path:
        return self._file.with_name(f"{self._file.stem}-{month.isoformat()[:7]}{self._file.suffix}")


def _is_month_file(file: Path) -> bool:
    # Through SQLite: the id may still lie in the write-ahead log.
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as database:
            (found,) = database.execute("PRAGMA application_id").fetchone()
    except sqlite3.Error as error:
        if not file.is_file():  # removed in between, or a folder
            return False
        raise InputError(
            f"The ledger's file {file} cannot be read: {error}. Try again, restore it from a copy, "
            "or move it away."
        ) from None
    return bool(found == MonthFile.application_id)


def newest_old_month(connection: Connection) -> date | None:
    """Returns the last month of the predictions and outcomes that an earlier release kept in `ledger.db`; None if there are none."""
    existing = inspect(connection).get_table_names()
    newest = [
        connection.execute(select(time).order_by(time.table.c.id.desc()).limit(1)).scalar()
        for time in (PREDICTIONS.c.predicted_at, OUTCOMES.c.recorded_at)
        if time.table.name in existing
    ]
    return max((month_of(each.replace(tzinfo=UTC)) for each in newest if each), default=None)


def remove_old_tables(engine: Engine) -> None:
    """Removes the tables that an earlier release kept in `ledger.db`, and gives their space back."""
    with engine.begin() as connection:
        MONTHLY.drop_all(connection)
    with suppress(OperationalError), engine.connect() as connection:  # the rows are gone anyway
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM")
