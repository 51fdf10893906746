"""Events of retraining loops: what each has found, and who is at work on it.

Rows are only added. An event has the next number of its model, which is unique: of two processes
that write at once, one is refused, reads again, and learns that the other was quicker. So the newest
row is the lock: it names its holder and when the holder's lease ends.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import AwareDatetime, Field
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from churn.frozen_model import FrozenModel
from churn.ledger.database import DatabaseLedger
from churn.ledger.ledger_tables import RETRAINING_EVENTS

EventKind = Literal["opened", "taken", "renewed", "found", "released", "closed"]


class OvertakenError(Exception):
    """Another process has written the event of that number."""


class RetrainingEvent(FrozenModel):
    """One event.

    Attributes:
        number: 1, 2, ... of the model.
        loop: 1, 2, ... of the model.
        kind: opened, with what the loop is about; taken, by a process that goes on with it; renewed,
            the lease; found, something that the loop goes on from; released, for a later start;
            closed.
        holder: the process that is at work from now on; empty for none.
        lease_until: when the holder loses the lock unless it renews it.
        facts: what became known.
        recorded_at: in UTC.
    """

    model: str = Field(min_length=1)
    number: int = Field(ge=1)
    loop: int = Field(ge=1)
    kind: EventKind
    holder: str
    lease_until: AwareDatetime
    facts: dict[str, Any] = Field(default_factory=dict)
    recorded_at: AwareDatetime


class RetrainingLedger(DatabaseLedger):
    """Events of retraining loops in the ledger's database."""

    def add(self, event: RetrainingEvent) -> None:
        """Keeps an event.

        Raises:
            OvertakenError: its number is taken.
            InputError: the database cannot be written to.
        """
        row = event.model_dump() | {"facts": json.dumps(event.facts, allow_nan=False)}
        with self.transaction() as connection:
            try:
                connection.execute(insert(RETRAINING_EVENTS), row)
            except IntegrityError:
                raise OvertakenError from None

    def events(self, model: str) -> list[RetrainingEvent]:
        """Every event of a model, oldest first."""
        query = (
            select(RETRAINING_EVENTS)
            .where(RETRAINING_EVENTS.c.model == model)
            .order_by(RETRAINING_EVENTS.c.number)
        )
        return [
            RetrainingEvent.model_validate(row | {"facts": json.loads(row["facts"])})
            for row in self.rows(query)
        ]

    def clock(self) -> datetime:
        """The time by one clock for all who share the database: a server's, or this machine's."""
        if self.file is not None:
            return datetime.now(UTC)
        with self.transaction() as connection:
            now = connection.execute(select(func.now())).scalar_one()
        return now.replace(tzinfo=UTC) if now.tzinfo is None else now.astimezone(UTC)
