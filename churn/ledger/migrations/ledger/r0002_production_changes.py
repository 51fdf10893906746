"""Changes of what is in production."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, String, Text

from churn.ledger.migrations.new_table import add_table

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the table."""
    add_table(
        "production_changes",
        [
            Column("recorded_at", DateTime(timezone=True), nullable=False),
            Column("model", String(200), nullable=False, index=True),
            Column("version", String(200), nullable=False),
            Column("version_before", String(200)),
            Column("stage_before", String(20)),
            Column("command", String(20), nullable=False),
            Column("status", String(20), nullable=False),
            Column("person", String(200), nullable=False),
            Column("reason", Text, nullable=False),
        ],
    )
