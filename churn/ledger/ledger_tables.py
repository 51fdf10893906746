"""The ledger's tables: what a row of each holds, and that rows are only ever added."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import (
    DDL,
    Boolean,
    Column,
    DateTime,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    event,
)

SCHEMA = MetaData()

DECISIONS = Table(
    "decisions",
    SCHEMA,
    *(
        Column("id", Integer, primary_key=True),
        Column("recorded_at", DateTime(timezone=True), nullable=False),
        Column("model", String(200), nullable=False, index=True),
        Column("version", String(200), nullable=False),
        Column("champion_version", String(200)),
        Column("verdict", String(20), nullable=False),
        Column("decision", Text, nullable=False),  # the whole record, as JSON
    ),
)
APPROVALS = Table(
    "approvals",
    SCHEMA,
    Column("id", Integer, primary_key=True),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("model", String(200), nullable=False, index=True),
    Column("version", String(200), nullable=False),
    Column("person", String(200), nullable=False),
    Column("note", Text, nullable=False),
)
DEPLOYMENTS = Table(
    "deployments",
    SCHEMA,
    *(
        Column("id", Integer, primary_key=True),
        Column("recorded_at", DateTime(timezone=True), nullable=False),
        Column("model", String(200), nullable=False, index=True),
        Column("version", String(200), nullable=False),
        Column("target", String(20), nullable=False),
        Column("status", String(20), nullable=False),
        Column("serving", String(200)),  # the version that served at the end
        Column("deployment", Text, nullable=False),  # the whole record, as JSON
    ),
)
# One index alone: every prediction pays for each, and who looks for customers or times joins anyway.
PREDICTIONS = Table(
    "predictions",
    SCHEMA,
    *(
        Column("id", Integer, primary_key=True),
        Column("predicted_at", DateTime(timezone=True), nullable=False),
        Column("prediction_id", String(64), nullable=False, index=True),
        Column("customer", String(200)),
        Column("version", String(100), nullable=False),
        Column("role", String(20), nullable=False),  # who answered: production, canary; or shadow
        Column("source", String(20), nullable=False),  # on which path
        Column("probability", Float(53), nullable=False),
        Column("decision", Boolean, nullable=False),
        Column("input_hash", String(32), nullable=False),
    ),
)
OUTCOMES = Table(
    "outcomes",
    SCHEMA,
    Column("id", Integer, primary_key=True),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("observed_at", DateTime(timezone=True), nullable=False),
    Column("prediction_id", String(64), index=True),
    Column("customer", String(200), index=True),
    Column("churned", Boolean, nullable=False),
)


def _only_grows(table: Table) -> None:
    """Makes SQLite refuse changes by triggers, as it has no user rights; servers have."""
    for change in ("UPDATE", "DELETE"):
        trigger = cast(Any, DDL)(
            f"CREATE TRIGGER {table.name}_no_{change.lower()} BEFORE {change} ON {table.name} "
            "BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END"
        )
        event.listen(table, "after_create", trigger.execute_if(dialect="sqlite"))


_only_grows(DECISIONS)
_only_grows(APPROVALS)
_only_grows(DEPLOYMENTS)
_only_grows(PREDICTIONS)
_only_grows(OUTCOMES)
