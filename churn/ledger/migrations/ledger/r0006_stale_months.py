"""What months with a version in production have lost against a newly trained model."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Float, String

from churn.ledger.migrations.new_table import add_table

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Makes the table."""
    add_table(
        "stale_months",
        [
            Column("recorded_at", DateTime(timezone=True), nullable=False),
            Column("model", String(200), nullable=False, index=True),
            Column("version", String(100), nullable=False),
            Column("snapshot", String(64), nullable=False),
            Column("month", String(7), nullable=False),
            Column("until", DateTime(timezone=True), nullable=False),
            Column("lost", Float(53), nullable=False),
            Column("error", Float(53), nullable=False),
        ],
    )
