"""Which model a prediction is of, and which customers a campaign treated."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, String

from churn.ledger.migrations.new_table import add_column, add_table

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds the column and makes the table."""
    add_column("predictions", Column("model", String(200)))
    add_table(
        "treatments",
        [
            Column("recorded_at", DateTime(timezone=True), nullable=False),
            Column("assigned_at", DateTime(timezone=True), nullable=False),
            Column("prediction_id", String(64), index=True),
            Column("customer", String(200), index=True),
            Column("treated", Boolean, nullable=False),
        ],
    )
