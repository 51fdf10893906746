"""What was predicted for which customer, by which version, and what happened later."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Table, func, insert, select

from churn.errors import InputError
from churn.ledger.answer_arrays import AnswerArrays, answer_arrays
from churn.ledger.database import LOCK_SECONDS, DatabaseLedger, row_in_utc
from churn.ledger.ledger_tables import MONTHLY, OUTCOMES, PREDICTIONS, TREATMENTS
from churn.ledger.month_files import MonthFile, MonthFiles, newest_old_month, remove_old_tables
from churn.ledger.months import by_month, month_of, oldest_kept
from churn.ledger.outcome_join import with_outcomes
from churn.ledger.partitions import make_partitions, remove_partitions
from churn.ledger.prediction import Outcome, Prediction, Role, TreatmentRecord, input_hash
from churn.ledger.prediction_insert import insert_predictions
from churn.ledger.settled_outcomes import OutcomeTiming

__all__ = ["Outcome", "Prediction", "PredictionLedger", "Role", "TreatmentRecord", "input_hash"]

_PREDICTION = [PREDICTIONS.c[name] for name in Prediction._fields]
_OUTCOME = [OUTCOMES.c[field.name] for field in fields(Outcome)]
_TREATMENT = [TREATMENTS.c[field.name] for field in fields(TreatmentRecord)]
_READ_ROWS = 5_000
_SPACE_SECONDS = 1.0  # so long the space is not measured again


class PredictionLedger(DatabaseLedger):
    """Predictions, and the outcomes that became known later, by month.

    SQLite has a file for each month beside that of the address, PostgreSQL a partition; another
    database has all in one table. A prediction's month is that of its time, an outcome's that in
    which it was recorded, both in UTC.

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
        ...         (prediction, outcome), = ledger.predictions_with_outcomes(
        ...             datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
        >>> prediction.version, prediction.probability, outcome.churned
        ('7', 0.62, True)
    """

    def __init__(self, url: str, *, lock_seconds: float = LOCK_SECONDS, max_bytes: int = 0) -> None:
        """Takes a database's address, as `DatabaseLedger` does.

        Args:
            url: the address.
            lock_seconds: how long it waits for a lock of another.
            max_bytes: most bytes of an SQLite ledger's files; beyond, nothing is recorded until
                `rotate` has removed a month. 0 sets no limit.
        """
        super().__init__(url, lock_seconds=lock_seconds)
        self._max_bytes = max_bytes
        file = self.file
        self._months = None if file is None else MonthFiles(self._url, file, lock_seconds)
        if self._months is None:
            self.schema = MONTHLY
        self._has_space_until = 0.0
        # On PostgreSQL: to look for old months again would read all of the default partition.
        self._removed_before = date.min
        self._open: tuple[date, DatabaseLedger] | None = None

    def close(self) -> None:
        """Closes the databases' connections."""
        self._close_month()
        super().close()

    def prepare(self) -> None:
        """Makes the tables where they are missing, on SQLite those of the current month."""
        with self.transaction():
            pass
        if self._months is not None:
            with self._months.open(month_of(datetime.now(UTC))).transaction():
                pass

    def record(self, predictions: Sequence[Prediction]) -> None:
        """Keeps predictions: of those of a month that follow each other, all or none.

        Of several with one id, role and version in a month, the first is kept.
        """
        for month, part in by_month(predictions):
            with self._month(month).transaction() as connection:
                insert_predictions(connection, part)

    def record_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Keeps outcomes: all of them or none. Of several about one prediction the last counts."""
        self._record_now(
            OUTCOMES,
            [asdict(one) | {"observed_at": one.observed_at.astimezone(UTC)} for one in outcomes],
        )

    def record_treatments(self, treatments: Sequence[TreatmentRecord]) -> None:
        """Keeps who was treated, and who was in the holdout: all of them or none."""
        self._record_now(
            TREATMENTS,
            [asdict(one) | {"assigned_at": one.assigned_at.astimezone(UTC)} for one in treatments],
        )

    def has(self, prediction_id: str, predicted_at: datetime) -> bool:
        """Whether a prediction of that time is kept."""
        query = (
            select(PREDICTIONS.c.id).where(PREDICTIONS.c.prediction_id == prediction_id).limit(1)
        )
        with self._month(month_of(predicted_at)).transaction() as connection:
            return connection.execute(query).first() is not None

    def recorded(
        self, ids: Collection[str], now: datetime, since: datetime | None = None
    ) -> list[Prediction]:
        """Returns the predictions with these ids of the last day, or since a day before `since`, and of their months."""
        query = select(*_PREDICTION).where(PREDICTIONS.c.prediction_id.in_(ids))
        if self._months is None:
            return [Prediction(**row) for row in self.rows(query)]
        current, first = month_of(now), month_of(min(now, since or now) - timedelta(days=1))
        months = [current]
        if first < current:  # only then: to look which files there are takes time
            with self.reported():
                earlier = [each for each in self._months.named() if first <= each < current]
                months = [*filter(self._months.has, earlier), *months]
        return [Prediction(**row) for month in months for row in self._month(month).rows(query)]

    def count(self) -> int:
        """How many predictions are kept."""
        with self._parts() as parts:
            return sum(_count(part, PREDICTIONS) for part in parts)

    def predictions(self, *, after: int = 0, limit: int = 10_000) -> list[Prediction]:
        """At most `limit` predictions, month by month in the order they were written, after the first `after`."""
        return [Prediction(**row) for row in self._page(PREDICTIONS, _PREDICTION, after, limit)]

    def outcomes(self, *, after: int = 0, limit: int = 10_000) -> list[Outcome]:
        """At most `limit` outcomes in the order they were written, after the first `after`."""
        return [Outcome(**row) for row in self._page(OUTCOMES, _OUTCOME, after, limit)]

    def treatments(self, *, after: int = 0, limit: int = 10_000) -> list[TreatmentRecord]:
        """At most `limit` treatments in the order they were written, after the first `after`."""
        return [TreatmentRecord(**row) for row in self._page(TREATMENTS, _TREATMENT, after, limit)]

    def predictions_with_outcomes(
        self, since: datetime, until: datetime
    ) -> Iterator[tuple[Prediction, Outcome | None]]:
        """Yields the predictions of a time, each with what became known of it, in whichever month.

        That is the last outcome recorded for the prediction; where there is none, the last one
        recorded for its customer and observed after it; None where there is none either.

        Args:
            since: the first moment.
            until: the first moment that no longer counts.
        """
        with self._parts() as parts:
            for read in _between(parts, since, until):
                yield from with_outcomes(read, parts)

    def predictions_between(self, since: datetime, until: datetime) -> Iterator[Prediction]:
        """Yields the predictions of a time, month by month, without what became known of them."""
        with self._parts() as parts:
            for read in _between(parts, since, until):
                yield from read

    def answers(self, model: str, timing: OutcomeTiming, now: datetime) -> Iterator[AnswerArrays]:
        """Yields all predictions of a model but its shadows', with their outcomes, as arrays: a million takes seconds."""
        with self._parts() as parts:
            yield from answer_arrays(parts, model, timing, now)

    def rotate(self, now: datetime, keep: int) -> list[str]:
        """Prepares the coming month and removes the old ones; several processes may do it at once.

        Kept are `keep` months, the current one included; 0 keeps all. An SQLite ledger that has
        reached `max_bytes` loses its oldest months, too, but never the current one.

        Returns:
            What this process has removed: months, or the tables of a server.
        """
        oldest = oldest_kept(now, keep)
        if self._engine.dialect.name == "postgresql":
            with self.transaction() as connection:
                make_partitions(connection, now)
                if self._removed_before == oldest:
                    return []
                removed = remove_partitions(connection, oldest)
            self._removed_before = oldest
            return removed
        if self._months is None:
            return []
        self.close_old_month(now)
        with self.reported():
            return self._remove_months(self._months, oldest, month_of(now))

    def close_old_month(self, now: datetime) -> None:
        """Closes a month's file that is not the current one: once removed, a file that is open goes on taking space."""
        if self._open is not None and self._open[0] != month_of(now):
            self._close_month()

    def free_bytes(self) -> int | None:
        """Returns how much an SQLite ledger can still grow: the volume's free space, or less by `max_bytes`.

        None on a server, which has its own disks.
        """
        if self._months is None or self.file is None:
            return None
        with self.transaction():
            pass
        with self.reported():
            disk = os.statvfs(self.file.parent)
            free = disk.f_bavail * disk.f_frsize
            return min(free, self._max_bytes - self._months.bytes()) if self._max_bytes else free

    def make_tables(self) -> None:
        """Makes the tables and, on PostgreSQL, this month's partitions and the next's."""
        super().make_tables()
        if self._engine.dialect.name == "postgresql":
            with self._engine.begin() as connection:
                make_partitions(connection, datetime.now(UTC))

    def _record_now(self, table: Table, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        now = datetime.now(UTC)
        with self._month(month_of(now)).transaction() as connection:
            connection.execute(insert(table), [row | {"recorded_at": now} for row in rows])

    def _month(self, month: date) -> DatabaseLedger:
        """The database of the month that is written to, which stays open."""
        if self._months is None:
            return self
        self._require_space(self._months)
        opened = self._open
        if opened is None or opened[0] != month:
            self._close_month()
            self._open = opened = month, self._months.open(month)
        return opened[1]

    def _close_month(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            opened[1].close()

    def _require_space(self, months: MonthFiles) -> None:
        if not self._ready:
            with self.transaction():
                pass
        if not self._max_bytes or time.monotonic() < self._has_space_until:
            return
        with self.reported():
            if months.bytes() < self._max_bytes:
                self._has_space_until = time.monotonic() + _SPACE_SECONDS
                return
        raise InputError(
            f"The ledger at {self.place} has reached its limit of {self._max_bytes:,} bytes. Raise "
            "CHURN_LEDGER_MAX_BYTES, keep fewer months, or keep the ledger in PostgreSQL."
        )

    def _remove_months(self, months: MonthFiles, oldest: date, current: date) -> list[str]:
        def is_due(month: date) -> bool:
            full = 0 < self._max_bytes <= months.bytes()
            return month < oldest or (month < current and full)

        removed = []
        with self.transaction() as connection:
            month = newest_old_month(connection)
        if month is not None and is_due(month):
            remove_old_tables(self._engine)
            removed.append(f"all until {month.isoformat()[:7]}")
        for each in months.named():
            with suppress(InputError):  # one that cannot be read stays; whoever reads it is told
                if is_due(each) and months.has(each) and months.remove(each):
                    removed.append(each.isoformat()[:7])
        return removed

    @contextmanager
    def _parts(self) -> Iterator[list[DatabaseLedger]]:
        """The databases that have predictions and outcomes, oldest first."""
        if self._months is None:
            yield [self]
            return
        with self.transaction() as connection:
            has_old_tables = newest_old_month(connection) is not None
        with self.reported():
            months = [*filter(self._months.has, self._months.named())]
        with ExitStack() as stack:
            files = [stack.enter_context(self._months.open(month)) for month in months]
            yield [self, *files] if has_old_tables else [*files]

    def _page(
        self, table: Table, columns: Sequence[Any], after: int, limit: int
    ) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        query = select(*columns).order_by(table.c.id)
        with self._parts() as parts:
            for part in parts:
                skipped = min(after, _count(part, table)) if after else 0
                rows += part.rows(query.offset(after).limit(limit - len(rows)))
                after -= skipped
        return rows


def _count(part: DatabaseLedger, table: Table) -> int:
    with part.transaction() as connection:
        return int(connection.execute(select(func.count(table.c.id))).scalar_one())


def _between(
    parts: Sequence[DatabaseLedger], since: datetime, until: datetime
) -> Iterator[list[Prediction]]:
    """The predictions of a time, some thousand at once."""
    at = PREDICTIONS.c.predicted_at
    query = select(*_PREDICTION).order_by(PREDICTIONS.c.id)
    query = query.where(at >= since.astimezone(UTC), at < until.astimezone(UTC))
    first, last = month_of(since), month_of(until)
    for part in parts:
        if isinstance(part, MonthFile) and not first <= part.month <= last:
            continue
        with part.transaction() as connection:
            found = connection.execution_options(yield_per=_READ_ROWS).execute(query)
            for rows in found.mappings().partitions():
                yield [Prediction(**row_in_utc(row)) for row in rows]
