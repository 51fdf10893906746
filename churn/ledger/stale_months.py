"""What months with a champion have lost, in the ledger: each snapshot is measured once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, insert, select

from churn.ledger.database import DatabaseLedger
from churn.ledger.ledger_tables import STALE_MONTHS
from churn.monitoring.staleness import StaleMonth


class StaleLedger(DatabaseLedger):
    """Stale months by model, version and snapshot."""

    def record(
        self, model: str, version: str, snapshot: str, lost: StaleMonth, *, month: str
    ) -> None:
        """Keeps what a version lost in the month of a snapshot.

        Args:
            model: its name.
            version: of the champion.
            snapshot: SHA-256 of the table that it was measured on.
            lost: what was measured.
            month: of its customers, such as `2026-11`; it may be known much later what became of them.
        """
        row = lost.model_dump(include={"until", "lost", "error"})
        row |= {"model": model, "version": version, "snapshot": snapshot, "month": month}
        with self.transaction() as connection:
            connection.execute(insert(STALE_MONTHS), row | {"recorded_at": datetime.now(UTC)})

    def is_measured(self, model: str, version: str, snapshot: str) -> bool:
        """Whether a version was measured on that table."""
        rows = self.rows(_of(model, version).where(STALE_MONTHS.c.snapshot == snapshot).limit(1))
        return bool(rows)

    def months(self, model: str, version: str) -> tuple[StaleMonth, ...]:
        """What a version has lost, oldest month first; of two tables of one month the later counts."""
        found: dict[str, StaleMonth] = {}
        for row in self.rows(_of(model, version).order_by(STALE_MONTHS.c.id)):
            found[row["month"]] = StaleMonth(
                until=row["until"], lost=row["lost"], error=row["error"], basis="realised"
            )
        return tuple(found[month] for month in sorted(found))


def _of(model: str, version: str) -> Select[Any]:
    return select(STALE_MONTHS).where(
        STALE_MONTHS.c.model == model, STALE_MONTHS.c.version == version
    )
