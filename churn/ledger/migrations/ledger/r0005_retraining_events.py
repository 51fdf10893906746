"""Events of retraining loops, and the lock that lets one be at work at a time."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Integer, String, Text, UniqueConstraint

from churn.ledger.migrations.new_table import add_table

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Makes the table."""
    add_table(
        "retraining_events",
        [
            Column("recorded_at", DateTime(timezone=True), nullable=False),
            Column("model", String(200), nullable=False),
            Column("number", Integer, nullable=False),
            Column("loop", Integer, nullable=False),
            Column("kind", String(20), nullable=False),
            Column("holder", String(200), nullable=False),
            Column("lease_until", DateTime(timezone=True), nullable=False),
            Column("facts", Text, nullable=False),
            UniqueConstraint("model", "number"),
        ],
    )
