"""SQLite's write-ahead log, in which readers and a writer do not wait for each other."""

from __future__ import annotations

import sqlite3
import time

_RETRY_SECONDS = 0.01


def begin_write_ahead_log(connection: sqlite3.Connection, lock_seconds: float) -> None:
    """Sets a database to a write-ahead log, which stays set.

    Raises:
        sqlite3.Error: it cannot be set, or another process has held a lock for too long.
    """
    until = time.monotonic() + lock_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            # SQLite itself does not wait for another process that begins the log of a new file.
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > until:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return
