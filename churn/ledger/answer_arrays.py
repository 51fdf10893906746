"""Scores and what became of them, as arrays: for figures over millions of answers.

The outcomes of a ledger are read once, and every answer is looked up among them by a 64-bit hash of
its id. Which outcome counts is said in `PredictionLedger.predictions_with_outcomes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, or_, select

from churn.ledger.database import DatabaseLedger
from churn.ledger.ledger_tables import OUTCOMES, PREDICTIONS

UNKNOWN = -1
_ROWS = 50_000
_NOBODY = -1  # no text has this hash in Python


@dataclass(frozen=True, eq=False)
class AnswerArrays:
    """Some answers, in the order they were written.

    Attributes:
        predicted_at: float64[n], seconds since 1970 in UTC.
        probability: float64[n].
        churned: int8[n], 1 for customers who left, 0 for those who stayed, -1 where nothing is known.
    """

    predicted_at: NDArray[np.float64]
    probability: NDArray[np.float64]
    churned: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class _Outcomes:
    """Outcomes by a key, sorted by it; those of one key in the order they were recorded."""

    key: NDArray[np.int64]
    observed_at: NDArray[np.float64]
    churned: NDArray[np.int8]

    @classmethod
    def of(
        cls,
        key: NDArray[np.int64],
        observed_at: NDArray[np.float64],
        churned: NDArray[np.int8],
    ) -> _Outcomes:
        kept = np.flatnonzero(key != _NOBODY)
        order = kept[np.argsort(key[kept], kind="stable")]
        return cls(key[order], observed_at[order], churned[order])

    def last(self, key: NDArray[np.int64], since: NDArray[np.float64]) -> NDArray[np.int8]:
        """The last outcome recorded for each key and observed since then; -1 where there is none."""
        first = np.searchsorted(self.key, key, side="left")
        place = np.searchsorted(self.key, key, side="right") - 1
        open_ = np.flatnonzero(place >= first)
        found = np.full(len(key), UNKNOWN, dtype=np.int8)
        while open_.size:
            counts = self.observed_at[place[open_]] >= since[open_]
            found[open_[counts]] = self.churned[place[open_[counts]]]
            place[open_] -= 1
            open_ = open_[~counts & (place[open_] >= first[open_])]
        return found


def answer_arrays(parts: Sequence[DatabaseLedger], model: str) -> Iterator[AnswerArrays]:
    """Yields a model's answers without shadows, at most 50,000 at a time.

    Args:
        parts: the databases that have predictions and outcomes, oldest first.
        model: name of the model; rows of release 0.1.0 name none, and count, too.
    """
    of_prediction, of_customer = _read_outcomes(parts)
    columns = PREDICTIONS.c
    query = (
        select(columns.prediction_id, columns.customer, columns.predicted_at, columns.probability)
        .where(columns.role != "shadow", or_(columns.model == model, columns.model.is_(None)))
        .order_by(columns.id)
    )
    for ids, customers, at, probability in _read(parts, query):
        key, person, moment = _hashes(ids), _hashes(customers), _seconds(at)
        churned = of_prediction.last(key, np.full(len(key), -np.inf))
        rest = np.flatnonzero(churned == UNKNOWN)
        churned[rest] = of_customer.last(person[rest], moment[rest])
        yield AnswerArrays(moment, np.array(probability, dtype=np.float64), churned)


def _read_outcomes(parts: Sequence[DatabaseLedger]) -> tuple[_Outcomes, _Outcomes]:
    """By prediction, and by customer."""
    columns = OUTCOMES.c
    query = select(
        columns.prediction_id, columns.customer, columns.observed_at, columns.churned
    ).order_by(columns.recorded_at, columns.id)
    keys, persons, moments, left = [], [], [], []
    for ids, customers, observed_at, churned in _read(parts, query):
        keys.append(_hashes(ids))
        persons.append(_hashes(customers))
        moments.append(_seconds(observed_at))
        left.append(np.array(churned, dtype=np.int8))
    if not keys:
        none = np.zeros(0, dtype=np.int64)
        return (_Outcomes.of(none, none.astype(np.float64), none.astype(np.int8)),) * 2
    moment, gone = np.concatenate(moments), np.concatenate(left)
    return (
        _Outcomes.of(np.concatenate(keys), moment, gone),
        _Outcomes.of(np.concatenate(persons), moment, gone),
    )


def _read(parts: Sequence[DatabaseLedger], query: Select[Any]) -> Iterator[tuple[Any, ...]]:
    """Yields the query's columns, of 50,000 rows at a time."""
    for part in parts:
        with part.transaction() as connection:
            found = connection.execution_options(yield_per=_ROWS).execute(query)
            for rows in found.partitions():
                yield tuple(zip(*rows, strict=True))


def _hashes(values: Sequence[str | None]) -> NDArray[np.int64]:
    return np.fromiter(
        (_NOBODY if each is None else hash(each) for each in values), np.int64, len(values)
    )


def _seconds(moments: Sequence[datetime]) -> NDArray[np.float64]:
    # SQLite gives moments back without their zone, which is UTC.
    return np.array(
        [(each if each.tzinfo else each.replace(tzinfo=UTC)).timestamp() for each in moments],
        dtype=np.float64,
    )
