"""Scores and what became of them, as arrays: for figures over millions of answers.

Outcomes and treatments of a ledger are read once, and every answer is looked up among them by a 64-bit
hash of its id. Which outcome counts, and who is treated, is what `settle` says of one prediction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, Table, or_, select

from churn.ledger.database import DatabaseLedger
from churn.ledger.ledger_tables import OUTCOMES, PREDICTIONS, TREATMENTS
from churn.ledger.matched_treatments import CLOCKS_DIFFER
from churn.ledger.settled_outcomes import OutcomeTiming

UNKNOWN = -1
NOBODY = -1
"""In place of a customer's hash; no text has this one in Python."""

_CENSORED = -2  # seen as a customer for the last time before the horizon
_ROWS = 50_000
_DAY = 86_400.0
_CLOCKS_DIFFER = CLOCKS_DIFFER.total_seconds()

Keys = NDArray[np.int64]
Seconds = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AnswerArrays:
    """Some answers, in the order they were written.

    Attributes:
        predicted_at: float64[n], seconds since 1970 in UTC.
        probability: float64[n].
        churned: int8[n], 1 for customers who left within the horizon, 0 for those who stayed to its
            end, -1 where that is not known or not due.
        treated: bool[n], contacted by a campaign within the horizon.
        customer: int64[n], equal for equal customers; `NOBODY` where none was given.
    """

    predicted_at: Seconds
    probability: NDArray[np.float64]
    churned: NDArray[np.int8]
    treated: NDArray[np.bool_]
    customer: Keys


@dataclass(frozen=True, eq=False)
class _Records:
    """Outcomes or treatments by a key, sorted by it; those of one key in the order they were recorded."""

    key: Keys
    at: Seconds
    truth: NDArray[np.bool_]

    @classmethod
    def of(cls, key: Keys, at: Seconds, truth: NDArray[np.bool_]) -> _Records:
        kept = np.flatnonzero(key != NOBODY)
        order = kept[np.argsort(key[kept], kind="stable")]
        return cls(key[order], at[order], truth[order])

    def newest_first(self, key: Keys, done: NDArray[np.bool_]) -> Iterator[tuple[Any, Any]]:
        """Yields the places in `key` that have a record more, and its place, until they are `done`."""
        first = np.searchsorted(self.key, key, side="left")
        place = np.searchsorted(self.key, key, side="right") - 1
        left = np.flatnonzero(place >= first)
        while left.size:
            yield left, place[left]
            place[left] -= 1
            left = left[(place[left] >= first[left]) & ~done[left]]

    def labels(self, key: Keys, predicted_at: Seconds, horizon: int) -> NDArray[np.int8]:
        """By the last outcome that counts: 1 left within the horizon, 0 stayed, else unknown or censored."""
        found = np.full(len(key), UNKNOWN, dtype=np.int8)
        done = np.zeros(len(key), dtype=np.bool_)
        for rows, records in self.newest_first(key, done):
            at, left = self.at[records], self.truth[records]
            days = at // _DAY - predicted_at[rows] // _DAY
            after = at >= predicted_at[rows] - _CLOCKS_DIFFER
            counts = after & (left | (days >= horizon))
            found[rows[after & ~counts]] = _CENSORED
            found[rows[counts]] = (left & (days <= horizon))[counts]
            done[rows[counts]] = True
        return found

    def any_between(self, key: Keys, since: Seconds, until: Seconds) -> NDArray[np.bool_]:
        """Whether a key has a record that is true, of a time."""
        found = np.zeros(len(key), dtype=np.bool_)
        for rows, records in self.newest_first(key, found):
            at = self.at[records]
            found[rows] = self.truth[records] & (at >= since[rows]) & (at <= until[rows])
        return found


@dataclass(frozen=True, eq=False)
class _ByName:
    """Records that name a prediction, and those that name a customer alone."""

    prediction: _Records
    customer: _Records


def answer_arrays(
    parts: Sequence[DatabaseLedger], model: str, timing: OutcomeTiming, now: datetime
) -> Iterator[AnswerArrays]:
    """Yields a model's answers without shadows, at most 50,000 at a time.

    Args:
        parts: the databases that have predictions and outcomes, oldest first.
        model: name of the model; rows of release 0.1.0 name none, and count, too.
        timing: horizon and delay; what is not due has no outcome.
        now: outcomes that are later are an error of a clock, and left out.
    """
    latest = now.timestamp() + _CLOCKS_DIFFER
    outcomes = _read_records(parts, OUTCOMES, "observed_at", "churned", latest)
    treatments = _read_records(parts, TREATMENTS, "assigned_at", "treated", np.inf)
    columns = PREDICTIONS.c
    query = (
        select(columns.prediction_id, columns.customer, columns.predicted_at, columns.probability)
        .where(columns.role != "shadow", or_(columns.model == model, columns.model.is_(None)))
        .order_by(columns.id)
    )
    horizon = timing.horizon_days
    due_until = now.timestamp() // _DAY - horizon - timing.delay_days
    for ids, customers, at, probability in _read(parts, query):
        key, person, moment = _hashes(ids), _hashes(customers), _seconds(at)
        churned = outcomes.prediction.labels(key, moment, horizon)
        rest = np.flatnonzero(churned == UNKNOWN)
        churned[rest] = outcomes.customer.labels(person[rest], moment[rest], horizon)
        known = (churned >= 0) & (moment // _DAY <= due_until)
        named = treatments.prediction.any_between(
            key, np.full(len(key), -np.inf), np.full(len(key), np.inf)
        )
        yield AnswerArrays(
            predicted_at=moment,
            probability=np.array(probability, dtype=np.float64),
            churned=np.where(known, churned, UNKNOWN).astype(np.int8),
            treated=named
            | treatments.customer.any_between(
                person, moment - _CLOCKS_DIFFER, moment + horizon * _DAY
            ),
            customer=person,
        )


def _read_records(
    parts: Sequence[DatabaseLedger], table: Table, at: str, truth: str, latest: float
) -> _ByName:
    columns = table.c
    query = select(columns.prediction_id, columns.customer, columns[at], columns[truth]).order_by(
        columns.recorded_at, columns.id
    )
    keys: list[Keys] = [np.zeros(0, np.int64)]
    persons, moments, truths = [*keys], [np.zeros(0)], [np.zeros(0, np.bool_)]
    for ids, customers, when, said in _read(parts, query):
        key = _hashes(ids)
        keys.append(key)
        persons.append(np.where(key == NOBODY, _hashes(customers), NOBODY))
        moments.append(_seconds(when))
        truths.append(np.array(said, dtype=np.bool_))
    moment, said = np.concatenate(moments), np.concatenate(truths)
    kept = moment <= latest
    return _ByName(
        *(
            _Records.of(np.concatenate(each)[kept], moment[kept], said[kept])
            for each in (keys, persons)
        )
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
        (NOBODY if each is None else hash(each) for each in values), np.int64, len(values)
    )


def _seconds(moments: Sequence[datetime]) -> NDArray[np.float64]:
    # SQLite gives moments back without their zone, which is UTC.
    return np.array(
        [(each if each.tzinfo else each.replace(tzinfo=UTC)).timestamp() for each in moments],
        dtype=np.float64,
    )
