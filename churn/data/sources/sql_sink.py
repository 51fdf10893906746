"""Tables into databases: one transaction for all that is written at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from churn.contract.names import listed
from churn.data.sources.sql_address import SqlAddress
from churn.data.sources.sql_source import double_quoted, engine_of, reported
from churn.errors import InputError
from churn.writable import require_writable

_ROWS = 10_000  # as Python objects at once
_KEY_LENGTH = 200
_INSERTS: dict[str, Any] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
    "mysql": mysql.insert,
    "mariadb": mysql.insert,
}


class SqlSink:
    """A table of a database, made if it is not there.

    Args:
        address: Where it is.
        key: Columns that tell rows apart: one that is there is replaced. None, and rows are added.
    """

    def __init__(self, address: SqlAddress, key: Sequence[str] = ()) -> None:
        if address.table is None:
            raise InputError(f"{address.shown} is a query, and only a table can be written to.")
        if address.backend not in {*_INSERTS, "duckdb"}:
            raise InputError(
                f"{address.shown} is only read. PostgreSQL, MySQL, MariaDB, SQLite and DuckDB are "
                "written to."
            )
        self.shown = address.shown
        self._address, self._key = address, tuple(key)

    def require_open(self) -> None:
        """Checks that a server lets one in, or that the folder of a database's file takes it."""
        if self._address.backend in ("sqlite", "duckdb"):
            folder = Path(str(self._address.url.database)).expanduser().absolute().parent
            if not folder.exists():
                raise InputError(
                    f"{self.shown} cannot be made: there is no folder {folder}. Make it, or name another "
                    "database."
                )
            require_writable(folder, "make it writable, or name another database")
            return
        with reported(self._address, "written to"):
            engine_of(self._address, read_only=False).connect().close()

    def write(self, tables: Iterable[Any]) -> int:
        """Writes tables of one schema, all or none of them."""
        rest = iter(tables)
        first = next(rest)
        with reported(self._address, "written to"):
            if self._address.backend == "duckdb":
                return self._write_duckdb(first, rest)
            engine = engine_of(self._address, read_only=False)
            with engine.connect() as connection:
                return self._write(connection, first, rest)

    def require_fit(self, schema: Any) -> None:
        """Checks that the database answers, and that its table, if there is one, can take such rows.

        Raises:
            InputError: it does not, or cannot.
        """
        is_file = self._address.backend in ("sqlite", "duckdb")
        if is_file and not Path(str(self._address.url.database)).expanduser().exists():
            return  # to open it would make it
        with reported(self._address, "written to"):
            if self._address.backend == "duckdb":
                self._require_duckdb_fit(schema.names)
                return
            engine = engine_of(self._address, read_only=False)
            with engine.connect() as connection:
                table = self._table(schema)
                if sa.inspect(connection).has_table(table.name, schema=table.schema):
                    self._require_fit(connection, table, schema.names)

    def _write(self, connection: sa.Connection, first: Any, rest: Iterable[Any]) -> int:
        if self._address.backend == "sqlite":  # its driver would keep a new table after a failure
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        there = self._table(first.schema)
        made = not sa.inspect(connection).has_table(there.name, schema=there.schema)
        try:
            if made:
                there.create(connection)
            else:
                self._require_fit(connection, there, first.schema.names)
            rows = 0
            for table in chain([first], rest):
                for start in range(0, table.num_rows, _ROWS):
                    connection.execute(self._insert(there), table.slice(start, _ROWS).to_pylist())
                rows += table.num_rows
            connection.commit()
        except BaseException:
            connection.rollback()
            if made and self._address.backend in ("mysql", "mariadb"):  # these keep it
                there.drop(connection, checkfirst=True)
            raise
        return rows

    def _table(self, schema: Any) -> sa.Table:
        columns = [
            sa.Column(field.name, _sql_type(field.type, in_key=field.name in self._key),
                      primary_key=field.name in self._key, autoincrement=False)
            for field in schema
        ]  # fmt: skip
        place, _, name = str(self._address.table).rpartition(".")
        return sa.Table(name, sa.MetaData(), *columns, schema=place or None)

    def _require_fit(
        self, connection: sa.Connection, table: sa.Table, names: Sequence[str]
    ) -> None:
        """Raises `InputError` if the table that is there cannot take the rows."""
        found = sa.inspect(connection)
        there = {each["name"] for each in found.get_columns(table.name, table.schema)}
        self._require_columns(there, names)
        unique: list[Any] = [
            found.get_pk_constraint(table.name, table.schema)["constrained_columns"],
            *(
                each["column_names"]
                for each in (
                    *found.get_unique_constraints(table.name, table.schema),
                    *(i for i in found.get_indexes(table.name, table.schema) if i["unique"]),
                )
            ),
        ]
        # Without one, MySQL would add the row a second time.
        if self._key and set(self._key) not in [set(names) for names in unique]:
            raise self._no_key()

    def _require_columns(self, there: set[str], names: Sequence[str]) -> None:
        missing = [name for name in names if name not in there]
        if missing:
            raise InputError(
                f"{self.shown} has no column {listed(missing)}. Add what is missing, or name another "
                "table."
            )

    def _no_key(self) -> InputError:
        return InputError(
            f"{self.shown} has no primary key or unique index of {listed(self._key)}, so that no row "
            "can be replaced by its key. Make one, or name another table."
        )

    def _insert(self, table: sa.Table) -> Any:
        insert = _INSERTS[self._address.backend](table)
        if not self._key:
            return insert
        others = [column.name for column in table.columns if column.name not in self._key]
        if self._address.backend in ("mysql", "mariadb"):
            kept = others or list(self._key)
            return insert.on_duplicate_key_update({name: insert.inserted[name] for name in kept})
        if not others:
            return insert.on_conflict_do_nothing(index_elements=self._key)
        return insert.on_conflict_do_update(
            index_elements=self._key, set_={name: insert.excluded[name] for name in others}
        )

    def _write_duckdb(self, first: Any, rest: Iterable[Any]) -> int:
        import duckdb

        table = self._duckdb_table
        replace = "OR REPLACE " if self._key else ""
        with closing(duckdb.connect(str(self._address.url.database))) as connection:
            connection.begin()
            if not self._fits_duckdb(connection, first.schema.names):
                connection.register("rows", first)
                connection.execute(f"CREATE TABLE {table} AS FROM rows LIMIT 0")
                if self._key:
                    names = ", ".join(map(double_quoted, self._key))
                    connection.execute(f"ALTER TABLE {table} ADD PRIMARY KEY ({names})")
            rows = 0
            for each in chain([first], rest):
                connection.register("rows", each)
                connection.execute(f"INSERT {replace}INTO {table} BY NAME FROM rows")
                rows += each.num_rows
            connection.commit()
        return rows

    @property
    def _duckdb_table(self) -> str:
        return ".".join(double_quoted(part) for part in str(self._address.table).split("."))

    def _require_duckdb_fit(self, names: Sequence[str]) -> None:
        import duckdb

        with closing(duckdb.connect(str(self._address.url.database))) as connection:
            self._fits_duckdb(connection, names)

    def _fits_duckdb(self, connection: Any, names: Sequence[str]) -> bool:
        """Whether the table is there; raises `InputError` if it is and cannot take the rows."""
        import duckdb

        try:
            there = connection.sql(f"FROM {self._duckdb_table}").columns
        except duckdb.CatalogException:
            return False
        self._require_columns(set(there), names)
        self._require_duckdb_key(connection)
        return True

    def _require_duckdb_key(self, connection: Any) -> None:
        keys = connection.execute(
            "SELECT constraint_column_names FROM duckdb_constraints() WHERE table_name = ? AND "
            "constraint_type IN ('PRIMARY KEY', 'UNIQUE')",
            [str(self._address.table).rpartition(".")[2]],
        ).fetchall()
        if self._key and set(self._key) not in [set(names) for (names,) in keys]:
            raise self._no_key()


def _sql_type(kind: Any, *, in_key: bool) -> Any:
    """The type of a new column."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_boolean(kind):
        return sa.Boolean()
    if pa.types.is_integer(kind):
        return sa.BigInteger()
    if pa.types.is_floating(kind):
        return sa.Double()
    if pa.types.is_decimal(kind):
        return sa.Numeric(kind.precision, kind.scale)
    if pa.types.is_date(kind):
        return sa.Date()
    if pa.types.is_timestamp(kind):
        # MySQL keeps whole seconds unless it is asked for more.
        return sa.DateTime(timezone=kind.tz is not None).with_variant(
            mysql.DATETIME(fsp=6), "mysql", "mariadb"
        )
    return sa.String(_KEY_LENGTH) if in_key else sa.Text()
