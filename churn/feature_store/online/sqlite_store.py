"""The online store in an SQLite file with a write-ahead log: readers never wait for a writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from churn.contract import DataContract
from churn.errors import error_reason
from churn.feature_store.online.online_store import (
    OnlineStore,
    OnlineStoreError,
    WriteCounts,
    merge,
)
from churn.feature_store.online.stored_customer import (
    Record,
    StoredCustomer,
    decode_record,
    encode_record,
)
from churn.ledger.private_file import make_private
from churn.ledger.write_ahead_log import begin_write_ahead_log

APPLICATION_ID = int.from_bytes(b"Chfs")
"""By which SQLite's files are told apart."""
LOCK_SECONDS = 30.0
"""How long a writer waits for another."""
_VERSION = 1

_TABLES = (
    "CREATE TABLE contracts (name TEXT PRIMARY KEY, layout TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE customers (
        contract TEXT NOT NULL, customer TEXT NOT NULL, fields BLOB NOT NULL,
        PRIMARY KEY (contract, customer)
    ) WITHOUT ROWID""",
)
_READ = """
SELECT (SELECT layout FROM contracts WHERE name = :contract),
       (SELECT fields FROM customers WHERE contract = :contract AND customer = :customer)
"""
_WRITE = "INSERT OR REPLACE INTO customers (contract, customer, fields) VALUES (?, ?, ?)"


class SqliteOnlineStore(OnlineStore):
    """An online store in one file, which the first write makes."""

    def __init__(self, file: Path, contract: DataContract) -> None:
        super().__init__(contract)
        self.file = file.absolute()
        self.place = str(self.file)
        self._database: sqlite3.Connection | None = None
        self._inode = 0

    def read(self, customer: str) -> StoredCustomer | None:
        """Returns a customer's latest fields; None for a customer that was never written.

        Raises:
            OnlineStoreError: the store cannot be used, or holds no customers of this contract.
        """
        with self._reported():
            database = self._opened()
            given = {"contract": self.contract.name, "customer": customer}
            layout, fields = database.execute(_READ, given).fetchone()
            self._require_layout(layout)
            if layout is None:
                raise self._nothing_stored()
            return None if fields is None else StoredCustomer(customer, decode_record(fields))

    def clear(self) -> None:
        """Removes every customer of the contract's name, so that another version may begin."""
        if not self.file.exists():
            return
        with self._transaction() as database:
            name = (self.contract.name,)
            database.execute("DELETE FROM customers WHERE contract = ?", name)
            database.execute("DELETE FROM contracts WHERE name = ?", name)

    def close(self) -> None:
        """Closes the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _write_batch(self, events: Mapping[str, list[Record]]) -> WriteCounts:
        counts, name = WriteCounts(), self.contract.name
        with self._transaction() as database:
            for customer, each in events.items():
                given = {"contract": name, "customer": customer}
                layout, fields = database.execute(_READ, given).fetchone()
                self._require_layout(layout)
                record: Record = {} if fields is None else decode_record(fields)
                found = merge(record, each)
                if found.fields_set:
                    database.execute(_WRITE, (name, customer, encode_record(record)))
                counts += found
            database.execute("INSERT OR IGNORE INTO contracts VALUES (?, ?)", (name, self.layout))
        return counts

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection in one transaction, which waits for that of another process."""
        with self._reported():
            make_private(self.file)
            database = self._opened(new=True)
            begin_write_ahead_log(database, LOCK_SECONDS)
            database.execute("BEGIN IMMEDIATE")
            with database:  # commits, or rolls back
                if _pragma(database, "user_version") == 0:
                    for statement in _TABLES:
                        database.execute(statement)
                    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                    database.execute(f"PRAGMA user_version = {_VERSION}")
                yield database

    def _opened(self, *, new: bool = False) -> sqlite3.Connection:
        """The connection to the file that has the name now; without tables only if it may be `new`."""
        try:
            inode = self.file.stat().st_ino
        except FileNotFoundError:
            raise OnlineStoreError(
                f"There is no online store at {self.place}. Run `make features` to make it."
            ) from None
        if self._database is not None and inode != self._inode:
            self.close()  # another file has taken the place of the one that was opened
        if self._database is None:
            database = self._connect()
            if not new and _pragma(database, "user_version") == 0:
                database.close()
                raise self._nothing_stored()
            self._database, self._inode = database, inode
        return self._database

    def _connect(self) -> sqlite3.Connection:
        # SQLite itself must make no file: it would have the umask's mode.
        database = sqlite3.connect(
            f"file:{quote(self.place)}?mode=rw",
            uri=True,
            timeout=LOCK_SECONDS,
            isolation_level=None,  # transactions begin where they are written
            check_same_thread=False,
        )
        try:
            self._require_online_store(database)
        except BaseException:
            database.close()
            raise
        return database

    def _require_online_store(self, database: sqlite3.Connection) -> None:
        version = _pragma(database, "user_version")
        is_other = _pragma(database, "application_id") != APPLICATION_ID
        if is_other and (version or _pragma(database, "schema_version")):
            raise OnlineStoreError(
                f"The online store at {self.place} is a database of something else. Name another file."
            )
        if version > _VERSION:
            raise OnlineStoreError(
                f"The online store at {self.place} was written by a newer release (version "
                f"{version}, this release knows {_VERSION}). Use that release, or another file."
            )

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Turns what SQLite or the file refuses into one sentence."""
        try:
            yield
        except (sqlite3.Error, OSError, msgspec.MsgspecError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise OnlineStoreError(
                f"The online store at {self.place} cannot be used: {reason or error_reason(error)}. "
                "Check that the folder can be written to and has space, or name another file."
            ) from None


def _pragma(database: sqlite3.Connection, name: str) -> int:
    return int(database.execute(f"PRAGMA {name}").fetchone()[0])
