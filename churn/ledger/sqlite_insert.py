"""Predictions into SQLite, at the least cost for the threads that answer meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC
from itertools import chain
from typing import Any, cast

from sqlalchemy import Connection

from churn.ledger.prediction import Prediction


def insert_in_sqlite(connection: Connection, predictions: Sequence[Prediction]) -> None:
    """Many rows a statement, handed to the driver itself.

    The driver gives the interpreter away and takes it back at every statement, which beside a busy
    thread costs more than many rows; sizes are powers of two, so that few statements do, and the
    driver knows each already. A thread that answers meanwhile waits for the interpreter as long as 128
    rows take, a quarter of a millisecond: Python itself would let it wait for five.
    """
    driver = cast(sqlite3.Connection, connection.connection.driver_connection)
    place = 0
    for size, statement in _SQLITE_INSERTS.items():
        while len(predictions) - place >= size:
            rows = map(_as_sqlite, predictions[place : place + size])
            driver.execute(statement, tuple(chain.from_iterable(rows)))
            place += size


_WITHOUT_ZONE = len("2026-11-25 12:00:00.123456")
_ROW = f"({', '.join('?' * len(Prediction._fields))})"
_SQLITE_INSERTS = {
    size: f"INSERT INTO predictions ({', '.join(Prediction._fields)}) "  # noqa: S608 - our names
    f"VALUES {', '.join([_ROW] * size)}"
    for size in (128, 64, 32, 16, 8, 4, 2, 1)
}


def _as_sqlite(one: Prediction) -> tuple[Any, ...]:
    """As Core would have written it: a time without its zone."""
    at = one.predicted_at
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return (at.isoformat(" ", "microseconds")[:_WITHOUT_ZONE], *one[1:])
