"""States of the risk test, and which checks' alerts were sent."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Boolean, Column, DateTime, Integer, String, Text, UniqueConstraint, inspect

from churn.ledger.migrations.new_table import add_table
from churn.ledger.migrations.predictions import r0002_treatments

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Makes the tables; a file of release 0.1.0 has predictions, too, which are migrated with it."""
    add_table(
        "risk_checks",
        [
            Column("checked_at", DateTime(timezone=True), nullable=False),
            Column("model", String(200), nullable=False),
            Column("version", String(100), nullable=False),
            Column("number", Integer, nullable=False),
            Column("until", DateTime(timezone=True), nullable=False),
            Column("alarmed", Boolean, nullable=False),
            Column("test", Text, nullable=False),
            UniqueConstraint("model", "number"),
        ],
    )
    add_table(
        "sent_alerts",
        [
            Column("recorded_at", DateTime(timezone=True), nullable=False),
            Column("model", String(200), nullable=False, index=True),
            Column("kind", String(40), nullable=False),
            Column("number", Integer, nullable=False),
        ],
    )
    connection = op.get_bind()
    if connection.dialect.name == "sqlite" and inspect(connection).has_table("predictions"):
        r0002_treatments.upgrade()
