"""What a revision adds: a table with its key, its indexes, and what keeps its rows as they are; or a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, UniqueConstraint, inspect


def add_table(name: str, columns: Sequence[Column[Any] | UniqueConstraint]) -> None:
    """Makes a table and its indexes where they are missing, and on SQLite the triggers."""
    connection = op.get_bind()
    key = BigInteger().with_variant(Integer, "sqlite")
    Table(name, MetaData(), Column("id", key, primary_key=True), *columns).create(
        connection, checkfirst=True
    )
    if connection.dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            forbid(change, name)


def forbid(change: str, table: str) -> None:
    """Makes SQLite refuse to change or remove the rows of a table."""
    op.execute(
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_{change.lower()} BEFORE {change} ON {table} "
        "BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END"
    )


def add_column(table: str, column: Column[Any]) -> None:
    """Adds a column, empty in every row there is, where it is missing."""
    if column.name not in {each["name"] for each in inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)
