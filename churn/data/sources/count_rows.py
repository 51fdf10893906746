"""How many rows a table of a database has."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from churn.data.sources.sql_address import SqlAddress
from churn.data.sources.sql_source import double_quoted, engine_of, reported


def count_rows(address: SqlAddress, **values: str) -> int:
    """The rows of a table that have these values, column by column; 0 where the table is not there.

    Raises:
        UnreachableTableError: the database cannot be read.
    """
    place, _, name = str(address.table).rpartition(".")
    if address.backend in ("sqlite", "duckdb") and not _file(address).exists():
        return 0
    with reported(address):
        if address.backend == "duckdb":
            return _count_in_duckdb(address, values)
        with engine_of(address, read_only=True).connect() as connection:
            if not sa.inspect(connection).has_table(name, schema=place or None):
                return 0
            conditions = (sa.column(column) == value for column, value in values.items())
            rows = sa.select(sa.func.count()).select_from(sa.table(name, schema=place or None))
            return int(connection.scalar(rows.where(*conditions)) or 0)


def _file(address: SqlAddress) -> Path:
    return Path(str(address.url.database)).expanduser()


def _count_in_duckdb(address: SqlAddress, values: dict[str, str]) -> int:
    import duckdb

    table = ".".join(map(double_quoted, str(address.table).split(".")))
    with closing(duckdb.connect(str(address.url.database), read_only=True)) as connection:
        conditions = " AND ".join(["true", *(f"{double_quoted(name)} = ?" for name in values)])
        counted = f"SELECT count(*) FROM {table} WHERE {conditions}"  # noqa: S608 - quoted
        try:
            ((rows,),) = connection.execute(counted, list(values.values())).fetchall()
        except duckdb.CatalogException:
            return 0
        return int(rows)
