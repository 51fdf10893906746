"""What was predicted for which customer, by which version, and what happened later."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from itertools import chain
from time import sleep
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, func, insert, select

from churn.ledger.database import DatabaseLedger
from churn.ledger.ledger_tables import OUTCOMES, PREDICTIONS

Role = Literal["production", "canary", "shadow"]


class Prediction(NamedTuple):
    """One prediction; a tuple, as making and keeping one is part of every answer's cost.

    Attributes:
        predicted_at: when, in UTC.
        prediction_id: as the answer has it; a shadow has that of the answer beside it.
        customer: the customer's id; None where none was given.
        version: version of the model.
        role: whether this was the answer, by the production version or by the canary, or a
            shadow's, which no answer contains.
        source: on which path: `api`, `batch`, ...
        probability: of leaving.
        decision: whether it reached the version's threshold.
        input_hash: hash of what was scored; see `input_hash`.
    """

    predicted_at: datetime
    prediction_id: str
    customer: str | None
    version: str
    role: Role
    source: str
    probability: float
    decision: bool
    input_hash: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to a customer.

    Attributes:
        observed_at: when it was known, with its zone.
        churned: whether the customer left.
        prediction_id: of the prediction it belongs to; None where only the customer is known.
        customer: the customer's id; None where only the prediction is known.
    """

    observed_at: datetime
    churned: bool
    prediction_id: str | None = None
    customer: str | None = None


class PredictionLedger(DatabaseLedger):
    """Predictions, and the outcomes that became known later, in a database.

    Examples:
        >>> import tempfile
        >>> from datetime import UTC, datetime
        >>> at = datetime(2026, 11, 1, tzinfo=UTC)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with PredictionLedger(f"sqlite:///{folder}/ledger.db") as ledger:
        ...         ledger.record([Prediction(
        ...             predicted_at=at, prediction_id="p-1", customer=None, version="7",
        ...             role="production", source="batch", probability=0.62, decision=True,
        ...             input_hash=input_hash([0.0, 12.0, 84.45]),
        ...         )])
        ...         ledger.record_outcomes([Outcome(at, churned=True, prediction_id="p-1")])
        ...         predictions, outcomes = ledger.predictions(), ledger.outcomes()
        >>> predictions[0].version, predictions[0].probability, outcomes[0].churned
        ('7', 0.62, True)
    """

    def prepare(self) -> None:
        """Makes the tables where they are missing."""
        with self._transaction():
            pass

    def record(self, predictions: Sequence[Prediction]) -> None:
        """Keeps predictions: all of them or none."""
        if not predictions:
            return
        with self._transaction() as connection:
            if connection.dialect.name == "sqlite":
                _insert_in_sqlite(connection, predictions)
            else:
                connection.execute(insert(PREDICTIONS), [one._asdict() for one in predictions])

    def record_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Keeps outcomes: all of them or none. Of several about one prediction the last counts."""
        if not outcomes:
            return
        now = datetime.now(UTC)
        rows = [
            asdict(one) | {"recorded_at": now, "observed_at": one.observed_at.astimezone(UTC)}
            for one in outcomes
        ]
        with self._transaction() as connection:
            connection.execute(insert(OUTCOMES), rows)

    def count(self) -> int:
        """How many predictions are kept."""
        with self._transaction() as connection:
            return int(connection.execute(select(func.count(PREDICTIONS.c.id))).scalar_one())

    def predictions(self, *, after: int = 0, limit: int = 10_000) -> list[Prediction]:
        """At most `limit` predictions in the order they were written, after the first `after`."""
        query = select(PREDICTIONS).order_by(PREDICTIONS.c.id).offset(after).limit(limit)
        return [Prediction(**row) for row in self._rows(query)]

    def outcomes(self, *, after: int = 0, limit: int = 10_000) -> list[Outcome]:
        """At most `limit` outcomes in the order they were written, after the first `after`."""
        columns = [OUTCOMES.c[field.name] for field in fields(Outcome)]
        query = select(*columns).order_by(OUTCOMES.c.id).offset(after).limit(limit)
        return [Outcome(**row) for row in self._rows(query)]


def _insert_in_sqlite(connection: Connection, predictions: Sequence[Prediction]) -> None:
    """Many rows a statement.

    The driver gives the interpreter away and takes it back at every statement, which beside a busy
    thread costs more than many rows; sizes are powers of two, so that few statements do, and the
    driver knows each already. A thread that answers meanwhile waits no longer for the interpreter than
    a stretch of rows takes: Python itself would let it wait for five milliseconds.
    """
    place = 0
    for size, statement in _SQLITE_INSERTS.items():
        while len(predictions) - place >= size:
            rows: list[tuple[Any, ...]] = []
            for start in range(place, place + size, _STRETCH):
                until = min(start + _STRETCH, place + size)
                rows += [_as_sqlite(one) for one in predictions[start:until]]
                sleep(0)
            connection.exec_driver_sql(statement, tuple(chain.from_iterable(rows)))
            place += size


_WITHOUT_ZONE = len("2026-11-25 12:00:00.123456")
_STRETCH = 64
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


def input_hash(values: Sequence[float]) -> str:
    """A customer's codes and numbers, in the encoder's order, as 128 bits: the same customer, the same hash, and no raw value.

    It distinguishes customers and hides none: whoever can list all possible ones can hash them.
    """
    return blake2b(_doubles(len(values))(*values), digest_size=16).hexdigest()


@cache
def _doubles(count: int) -> Callable[..., bytes]:
    return struct.Struct(f"<{count}d").pack
