"""Brings the tables of an earlier release to those of today, by Alembic."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, delete, insert, inspect, select

from churn.ledger.ledger_tables import History

_REVISIONS = Path(__file__).with_name("migrations")
_ONE_AT_A_TIME = threading.Lock()  # Alembic keeps the migration at work in a global


def migrate(connection: Connection, history: History) -> None:
    """Applies the revisions after the recorded one, in the connection's transaction.

    Alembic is imported here alone: a database of today's tables is opened without it.
    """
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    folder = str(_REVISIONS / history.name)
    scripts = ScriptDirectory(folder, version_locations=[folder])
    with (
        _ONE_AT_A_TIME,
        # As Alembic's own `upgrade`, without a file that says which database it is about.
        EnvironmentContext(
            Config(),
            scripts,
            fn=lambda heads, _context: scripts._upgrade_revs("head", heads),
        ) as environment,
    ):
        environment.configure(connection=connection, version_table=history.table)
        environment.run_migrations()


def recorded_revision(connection: Connection, history: History) -> int | None:
    """The revision of a database's tables; None where none is recorded."""
    if not inspect(connection).has_table(history.table):
        return None
    found = connection.execute(select(_revisions(history).c.version_num)).scalar()
    return None if found is None else int(found)


def record_revision(connection: Connection, history: History, revision: int) -> None:
    """Records a revision where Alembic reads it, and whoever writes to the ledger."""
    table = _revisions(history)
    table.create(connection, checkfirst=True)
    connection.execute(delete(table))
    connection.execute(insert(table), {"version_num": f"{revision:04}"})
    if connection.dialect.name == "postgresql":  # a service may do nothing but add rows
        connection.exec_driver_sql(f"GRANT SELECT ON {history.table} TO PUBLIC")


def _revisions(history: History) -> Table:
    return Table(history.table, MetaData(), Column("version_num", String(32), primary_key=True))
