"""Drift checks and the alarms that persons have resolved."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Float, Integer, String, Text, UniqueConstraint

from churn.ledger.migrations.new_table import add_table

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Makes the tables."""
    add_table(
        "drift_checks",
        [
            Column("checked_at", DateTime(timezone=True), nullable=False),
            Column("model", String(200), nullable=False),
            Column("version", String(100), nullable=False),
            Column("kind", String(40), nullable=False),
            Column("window_id", String(100), nullable=False),
            Column("number", Integer, nullable=False),
            Column("spent", Float, nullable=False),
            Column("raises_alarm", Boolean, nullable=False),
            Column("found", Text, nullable=False),
            UniqueConstraint("model", "kind", "version", "window_id"),
            UniqueConstraint("model", "kind", "number"),
        ],
    )
    add_table(
        "alarm_resolutions",
        [
            Column("recorded_at", DateTime(timezone=True), nullable=False),
            Column("model", String(200), nullable=False, index=True),
            Column("kind", String(40), nullable=False),
            Column("number", Integer, nullable=False),
            Column("person", String(200), nullable=False),
            Column("note", Text, nullable=False),
        ],
    )
