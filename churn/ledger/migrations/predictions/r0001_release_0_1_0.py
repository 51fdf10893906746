"""Predictions and outcomes, as release 0.1.0 has them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Float, String

from churn.ledger.migrations.new_table import add_table

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables that are missing."""
    add_table(
        "predictions",
        [
            Column("predicted_at", DateTime(timezone=True), nullable=False),
            Column("prediction_id", String(64), nullable=False, index=True),
            Column("customer", String(200)),
            Column("version", String(100), nullable=False),
            Column("role", String(20), nullable=False),
            Column("source", String(20), nullable=False),
            Column("probability", Float(53), nullable=False),
            Column("decision", Boolean, nullable=False),
            Column("input_hash", String(32), nullable=False),
        ],
    )
    add_table(
        "outcomes",
        [
            Column("recorded_at", DateTime(timezone=True), nullable=False),
            Column("observed_at", DateTime(timezone=True), nullable=False),
            Column("prediction_id", String(64), index=True),
            Column("customer", String(200), index=True),
            Column("churned", Boolean, nullable=False),
        ],
    )
