"""A prediction is kept once: one row for each id, role and version.

Of the rows that a stream wrote again after a crash, the first stays.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import inspect

from churn.ledger.migrations.new_table import forbid
from churn.ledger.partitions import partition_names

revision = "0003"
down_revision = "0002"

_REPEATS = """
DELETE FROM {table} WHERE id IN (SELECT id FROM (
    SELECT id, row_number() OVER (PARTITION BY prediction_id, role, version ORDER BY id) AS place
    FROM {table}
) AS numbered WHERE place > 1)
"""
_OLD_INDEX = "ix_predictions_prediction_id"


def upgrade() -> None:
    """Removes repeats and makes the unique index, in each partition by itself."""
    connection = op.get_bind()
    tables = {"predictions": "ix_predictions_identity"}
    if connection.dialect.name == "postgresql":
        op.execute("LOCK TABLE predictions IN SHARE ROW EXCLUSIVE MODE")
        if partitions := partition_names(connection, "predictions"):
            tables = {name: f"{name}_identity" for name in partitions}
    if _OLD_INDEX in _indexes("predictions"):
        op.drop_index(_OLD_INDEX, table_name="predictions")
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        op.execute("DROP TRIGGER IF EXISTS predictions_no_delete")
    for table, index in tables.items():
        if index in _indexes(table):
            continue
        op.execute(_REPEATS.format(table=table))
        op.create_index(index, table, ["prediction_id", "role", "version"], unique=True)
    if is_sqlite:
        forbid("DELETE", "predictions")


def _indexes(table: str) -> set[str | None]:
    return {each["name"] for each in inspect(op.get_bind()).get_indexes(table)}
