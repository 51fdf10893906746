"""Decisions, approvals and deployments, as release 0.1.0 has them; adds what an older ledger lacks."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, String, Text

from churn.ledger.migrations.new_table import add_table

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables that are missing."""
    add_table(
        "decisions",
        [
            Column("recorded_at", DateTime(timezone=True), nullable=False),
            Column("model", String(200), nullable=False, index=True),
            Column("version", String(200), nullable=False),
            Column("champion_version", String(200)),
            Column("verdict", String(20), nullable=False),
            Column("decision", Text, nullable=False),
        ],
    )
    add_table(
        "approvals",
        [
            Column("recorded_at", DateTime(timezone=True), nullable=False),
            Column("model", String(200), nullable=False, index=True),
            Column("version", String(200), nullable=False),
            Column("person", String(200), nullable=False),
            Column("note", Text, nullable=False),
        ],
    )
    add_table(
        "deployments",
        [
            Column("recorded_at", DateTime(timezone=True), nullable=False),
            Column("model", String(200), nullable=False, index=True),
            Column("version", String(200), nullable=False),
            Column("target", String(20), nullable=False),
            Column("status", String(20), nullable=False),
            Column("serving", String(200)),
            Column("deployment", Text, nullable=False),
        ],
    )
