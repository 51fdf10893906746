"""Predictions, outcomes and treatments in PostgreSQL: tables partitioned by month, `predictions_2026_11`.

The first partition is the table as it was before, so a ledger of an earlier release is taken over
as it stands: its first month holds all that is older, too. What no month takes lies in the default
partition; an account that may only add rows so goes on when nobody has made the month.

PostgreSQL has no unique index over partitions by another column, so each has its own.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from sqlalchemy import Connection, Index, Table, func, select, text

from churn.ledger.database import lock_postgres
from churn.ledger.ledger_tables import OUTCOMES, PREDICTIONS, TREATMENTS
from churn.ledger.months import add_months, month_of

TIMES = {
    PREDICTIONS.name: PREDICTIONS.c.predicted_at,
    OUTCOMES.name: OUTCOMES.c.recorded_at,
    TREATMENTS.name: TREATMENTS.c.recorded_at,
}
"""Table -> the time whose month its rows are kept by."""
_LOCK_SECONDS = 5
_IS_OWNER = text(
    "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass(:name)"
)
_IS_PARTITIONED = text("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(:name)")
_PARTITIONS = text(
    "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
    "WHERE inhparent = to_regclass(:name)"
)
_GRANTS = text(
    "SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, privilege_type "
    "FROM pg_class, aclexplode(relacl) WHERE oid = to_regclass(:name) AND grantee <> relowner"
)


def make_partitions(connection: Connection, now: datetime) -> None:
    """Makes the tables partitioned where they are not, and this month and the next where missing.

    Does nothing for an account that does not own the tables.
    """
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
    lock_postgres(connection)
    for table in (PREDICTIONS, OUTCOMES, TREATMENTS):
        if not connection.execute(_IS_OWNER, {"name": table.name}).scalar():
            continue
        if not connection.execute(_IS_PARTITIONED, {"name": table.name}).scalar():
            _partition(connection, table, now)
        newest = max(_months(connection, table), default=date.min)
        for month in (month_of(now), add_months(month_of(now), 1)):
            if month > newest:
                _add_month(connection, table, month)


def remove_partitions(connection: Connection, oldest: date) -> list[str]:
    """Removes the months before `oldest`, and the older rows of the default partition.

    Returns:
        The tables that were dropped.
    """
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
    lock_postgres(connection)
    dropped = []
    for table in (PREDICTIONS, OUTCOMES, TREATMENTS):
        if not connection.execute(_IS_OWNER, {"name": table.name}).scalar():
            continue
        for month in _months(connection, table):
            if month < oldest:
                connection.exec_driver_sql(f"DROP TABLE {_partition_name(table, month)}")
                dropped.append(_partition_name(table, month))
        connection.exec_driver_sql(
            f"DELETE FROM {table.name}_default WHERE {TIMES[table.name].name} < '{_start(oldest)}'"  # noqa: S608 - our names
        )
    return dropped


def partition_names(connection: Connection, table: str) -> list[str]:
    """Returns the partitions of a table, the default one too; none where it has no partitions."""
    return list(connection.execute(_PARTITIONS, {"name": table}).scalars())


def _months(connection: Connection, table: Table) -> list[date]:
    """The months that have a partition of ours, oldest first."""
    names = partition_names(connection, table.name)
    months = (re.fullmatch(rf"{table.name}_(\d{{4}})_(\d\d)", name) for name in names)
    return sorted(date(int(month[1]), int(month[2]), 1) for month in months if month)


def _partition(connection: Connection, table: Table, now: datetime) -> None:
    """Makes a table the first partition of a new one of its name, with the same grants."""
    name, time = table.name, TIMES[table.name]
    newest = connection.execute(select(func.max(time))).scalar() or now
    month = month_of(max(now, newest))
    first, end = _partition_name(table, month), _start(add_months(month, 1))
    statements = [
        f"ALTER TABLE {name} ALTER COLUMN id TYPE bigint",
        f"ALTER SEQUENCE {name}_id_seq AS bigint",
        f"ALTER TABLE {name} RENAME TO {first}",
        *(
            f"ALTER INDEX {each.name} RENAME TO {_index_name(each, first)}"
            for each in table.indexes
        ),
        f"CREATE TABLE {name} (LIKE {first} INCLUDING DEFAULTS) PARTITION BY RANGE ({time.name})",
        f"ALTER SEQUENCE {name}_id_seq OWNED BY {name}.id",
        *(
            f"CREATE INDEX {each.name} ON {name} ({_columns(each)})"
            for each in table.indexes
            if not each.unique
        ),
        f"ALTER TABLE {name} ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ('{end}')",
        f"CREATE TABLE {name}_default PARTITION OF {name} DEFAULT",
        *_unique_indexes(table, f"{name}_default"),
    ]
    for statement in statements:
        connection.exec_driver_sql(statement)
    for grantee, privilege in connection.execute(_GRANTS, {"name": first}).all():
        connection.exec_driver_sql(f"GRANT {privilege} ON {name} TO {grantee}")


def _add_month(connection: Connection, table: Table, month: date) -> None:
    """Makes a month's partition, and moves what lies in the default partition into it."""
    name, time = table.name, TIMES[table.name].name
    partition = _partition_name(table, month)
    start, end = _start(month), _start(add_months(month, 1))
    # In one statement: a row that somebody adds between two would be deleted and not be moved.
    moved = f"DELETE FROM {name}_default WHERE {time} >= '{start}' AND {time} < '{end}' RETURNING *"  # noqa: S608 - our names
    for statement in (
        f"CREATE TABLE {partition} (LIKE {name} INCLUDING DEFAULTS)",
        *_unique_indexes(table, partition),
        f"WITH moved AS ({moved}) INSERT INTO {partition} SELECT * FROM moved",  # noqa: S608 - our names
        f"ALTER TABLE {name} ATTACH PARTITION {partition} FOR VALUES FROM ('{start}') TO ('{end}')",
    ):
        connection.exec_driver_sql(statement)


def _partition_name(table: Table, month: date) -> str:
    return f"{table.name}_{month.isoformat()[:7].replace('-', '_')}"


def _start(month: date) -> str:
    return f"{month.isoformat()} 00:00:00+00"


def _unique_indexes(table: Table, partition: str) -> list[str]:
    """The statements that make a partition's own unique indexes."""
    return [
        f"CREATE UNIQUE INDEX {_index_name(each, partition)} ON {partition} ({_columns(each)})"
        for each in table.indexes
        if each.unique
    ]


def _index_name(index: Index, partition: str) -> str:
    return f"{partition}_{str(index.name).removeprefix(f'ix_{index.table.name}_')}"  # type: ignore[union-attr]


def _columns(index: Index) -> str:
    return ", ".join(column.name for column in index.columns)
