"""Predictions into a database, which keeps the first of those with one id, role and version.

So what a worker writes again after a crash has no second effect.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC
from itertools import chain
from typing import Any, cast

from sqlalchemy import Connection, insert
from sqlalchemy.dialects import mysql, postgresql

from churn.ledger.ledger_tables import IDENTITY, PREDICTIONS
from churn.ledger.prediction import Prediction


def insert_predictions(connection: Connection, predictions: Sequence[Prediction]) -> None:
    """Adds those that the database does not have yet; one that it has stays as it is.

    A database other than SQLite, PostgreSQL, MariaDB and MySQL refuses all where it has one.
    """
    kind = connection.dialect.name
    if kind == "sqlite":
        _insert_in_sqlite(connection, predictions)
        return
    statement: Any = insert(PREDICTIONS)
    if kind == "postgresql":
        # No index is named: an account that may only add rows may not name columns to compare.
        statement = postgresql.insert(PREDICTIONS).on_conflict_do_nothing()
    elif kind in {"mysql", "mariadb"}:
        # INSERT IGNORE would accept other errors, too.
        statement = mysql.insert(PREDICTIONS).on_duplicate_key_update(id=PREDICTIONS.c.id)
    connection.execute(statement, [one._asdict() for one in predictions])


def _insert_in_sqlite(connection: Connection, predictions: Sequence[Prediction]) -> None:
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
    f"VALUES {', '.join([_ROW] * size)} ON CONFLICT ({', '.join(IDENTITY)}) DO NOTHING"
    for size in (128, 64, 32, 16, 8, 4, 2, 1)
}


def _as_sqlite(one: Prediction) -> tuple[Any, ...]:
    """As Core would have written it: a time without its zone."""
    at = one.predicted_at
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return (at.isoformat(" ", "microseconds")[:_WITHOUT_ZONE], *one[1:])
