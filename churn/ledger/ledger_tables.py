"""The ledger's tables: what a row of each holds, and that rows are only ever added.

Those in `PERMANENT` are kept for ever. Those in `MONTHLY` grow with the traffic: they are kept by
month, and old months are removed as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)

PERMANENT = MetaData()
MONTHLY = MetaData()


@dataclass(frozen=True)
class History:
    """The revisions that tables have had.

    Attributes:
        name: the folder of `churn/ledger/migrations` that has them.
        revision: the last one, today's. In SQLite it is the file's `user_version`, too.
    """

    name: str
    revision: int

    @property
    def table(self) -> str:
        """The table of a database that records its revision."""
        return f"{self.name}_revision"


HISTORIES = {PERMANENT: History("ledger", 6), MONTHLY: History("predictions", 3)}
"""Whoever changes a table adds a revision and raises the number here."""


def _table(name: str, schema: MetaData, columns: Sequence[Column[Any] | UniqueConstraint]) -> Table:
    """A table with a key, whose rows SQLite refuses to change; on a server, user rights do."""
    key = BigInteger().with_variant(Integer, "sqlite")  # 200 a second fill 32 bits in four months
    table = Table(name, schema, Column("id", key, primary_key=True), *columns)
    for change in ("UPDATE", "DELETE"):
        trigger = DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy 2.0 gives it no types
            f"CREATE TRIGGER {name}_no_{change.lower()} BEFORE {change} ON {name} "
            "BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END"
        )
        event.listen(table, "after_create", trigger.execute_if(dialect="sqlite"))
    return table


DECISIONS = _table(
    "decisions",
    PERMANENT,
    [
        Column("recorded_at", DateTime(timezone=True), nullable=False),
        Column("model", String(200), nullable=False, index=True),
        Column("version", String(200), nullable=False),
        Column("champion_version", String(200)),
        Column("verdict", String(20), nullable=False),
        Column("decision", Text, nullable=False),  # the whole record, as JSON
    ],
)
APPROVALS = _table(
    "approvals",
    PERMANENT,
    [
        Column("recorded_at", DateTime(timezone=True), nullable=False),
        Column("model", String(200), nullable=False, index=True),
        Column("version", String(200), nullable=False),
        Column("person", String(200), nullable=False),
        Column("note", Text, nullable=False),
    ],
)
DEPLOYMENTS = _table(
    "deployments",
    PERMANENT,
    [
        Column("recorded_at", DateTime(timezone=True), nullable=False),
        Column("model", String(200), nullable=False, index=True),
        Column("version", String(200), nullable=False),
        Column("target", String(20), nullable=False),
        Column("status", String(20), nullable=False),
        Column("serving", String(200)),  # the version that served at the end
        Column("deployment", Text, nullable=False),  # the whole record, as JSON
    ],
)
CHANGES = _table(
    "production_changes",
    PERMANENT,
    [
        Column("recorded_at", DateTime(timezone=True), nullable=False),
        Column("model", String(200), nullable=False, index=True),
        Column("version", String(200), nullable=False),
        Column("version_before", String(200)),  # in production until then
        Column("stage_before", String(20)),  # of the version that goes into production
        Column("command", String(20), nullable=False),
        Column("status", String(20), nullable=False),  # intended; then done, or undone
        Column("person", String(200), nullable=False),
        Column("reason", Text, nullable=False),
    ],
)
DRIFT_CHECKS = _table(
    "drift_checks",
    PERMANENT,
    [
        Column("checked_at", DateTime(timezone=True), nullable=False),
        Column("model", String(200), nullable=False),
        Column("version", String(100), nullable=False),
        Column("kind", String(40), nullable=False),
        Column("window_id", String(100), nullable=False),
        Column("number", Integer, nullable=False),  # 1, 2, ... of this model and kind
        Column("spent", Float, nullable=False),
        Column("raises_alarm", Boolean, nullable=False),
        Column("found", Text, nullable=False),  # the whole record, as JSON
        UniqueConstraint("model", "kind", "version", "window_id"),
        UniqueConstraint("model", "kind", "number"),
    ],
)
RESOLUTIONS = _table(
    "alarm_resolutions",
    PERMANENT,
    [
        Column("recorded_at", DateTime(timezone=True), nullable=False),
        Column("model", String(200), nullable=False, index=True),
        Column("kind", String(40), nullable=False),
        Column("number", Integer, nullable=False),  # the newest check that it is about
        Column("person", String(200), nullable=False),
        Column("note", Text, nullable=False),
    ],
)
RISK_CHECKS = _table(
    "risk_checks",
    PERMANENT,
    [
        Column("checked_at", DateTime(timezone=True), nullable=False),
        Column("model", String(200), nullable=False),
        Column("version", String(100), nullable=False),
        Column("number", Integer, nullable=False),  # 1, 2, ... of this model
        Column("until", DateTime(timezone=True), nullable=False),  # predictions before it were read
        Column("alarmed", Boolean, nullable=False),
        Column("test", Text, nullable=False),  # the test's whole state, as JSON
        UniqueConstraint("model", "number"),
    ],
)
SENT_ALERTS = _table(
    "sent_alerts",
    PERMANENT,
    [
        Column("recorded_at", DateTime(timezone=True), nullable=False),
        Column("model", String(200), nullable=False, index=True),
        Column("kind", String(40), nullable=False),
        Column("number", Integer, nullable=False),  # the newest check whose alerts were sent
    ],
)
RETRAINING_EVENTS = _table(
    "retraining_events",
    PERMANENT,
    [
        Column("recorded_at", DateTime(timezone=True), nullable=False),
        Column("model", String(200), nullable=False),
        Column("number", Integer, nullable=False),  # 1, 2, ... of this model
        Column("loop", Integer, nullable=False),  # 1, 2, ... of this model
        Column("kind", String(20), nullable=False),
        Column(
            "holder", String(200), nullable=False
        ),  # who has the lock from now on; empty: nobody
        Column("lease_until", DateTime(timezone=True), nullable=False),
        Column("facts", Text, nullable=False),  # what became known, as JSON
        UniqueConstraint("model", "number"),
    ],
)
STALE_MONTHS = _table(
    "stale_months",
    PERMANENT,
    [
        Column("recorded_at", DateTime(timezone=True), nullable=False),
        Column("model", String(200), nullable=False, index=True),
        Column("version", String(100), nullable=False),  # the champion
        Column("snapshot", String(64), nullable=False),  # SHA-256 of the table it was measured on
        Column("month", String(7), nullable=False),  # of its customers, such as 2026-11
        Column("until", DateTime(timezone=True), nullable=False),  # the end of the month
        Column("lost", Float(53), nullable=False),  # in currency, against a newly trained model
        Column("error", Float(53), nullable=False),  # standard error of it
    ],
)
IDENTITY = ("prediction_id", "role", "version")
"""What a prediction is known by: a shadow has the id of the answer beside it."""
# One index alone: every prediction pays for each, and who looks for customers or times joins anyway.
PREDICTIONS = _table(
    "predictions",
    MONTHLY,
    [
        Column("predicted_at", DateTime(timezone=True), nullable=False),
        Column("prediction_id", String(64), nullable=False),
        Column("customer", String(200)),
        Column("version", String(100), nullable=False),
        Column("role", String(20), nullable=False),  # who answered: production, canary; or shadow
        Column("source", String(20), nullable=False),  # on which path
        Column("probability", Float(53), nullable=False),
        Column("decision", Boolean, nullable=False),
        Column("input_hash", String(32), nullable=False),
        Column("model", String(200)),  # null in rows of release 0.1.0
    ],
)
Index("ix_predictions_identity", *(PREDICTIONS.c[name] for name in IDENTITY), unique=True)
OUTCOMES = _table(
    "outcomes",
    MONTHLY,
    [
        Column("recorded_at", DateTime(timezone=True), nullable=False),
        Column("observed_at", DateTime(timezone=True), nullable=False),
        Column("prediction_id", String(64), index=True),
        Column("customer", String(200), index=True),
        Column("churned", Boolean, nullable=False),
    ],
)
TREATMENTS = _table(
    "treatments",
    MONTHLY,
    [
        Column("recorded_at", DateTime(timezone=True), nullable=False),
        Column("assigned_at", DateTime(timezone=True), nullable=False),
        Column("prediction_id", String(64), index=True),
        Column("customer", String(200), index=True),
        Column("treated", Boolean, nullable=False),  # false: in the holdout
    ],
)
