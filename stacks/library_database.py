"""Checks the database file of ZenML or MLflow before the library opens it.

The library itself would change a database of an older version without asking, or end with a trace.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from churn.errors import ChurnError, InputError, error_reason
from churn.writable import require_writable

_WAIT_SECONDS = 5.0
_SMALL = 64 * 2**20  # bytes that are read whole within a second, to find what is damaged
_REVISION = re.compile(r"""^(down_revision|revision)\b.*?=\s*["']([^"']+)["']""", re.MULTILINE)


@dataclass(frozen=True)
class Library:
    """A library that keeps a database of its own, migrated by Alembic.

    Attributes:
        name: Its name, as people write it.
        package: Its package.
        migrations: Folder of its migrations, inside the package.
        first_table: The table that it creates first; a database without it is not its own.
        upgrade: Command that brings a database up to date; `{url}` is the database's.
    """

    name: str
    package: str
    migrations: str
    first_table: str
    upgrade: str


MLFLOW = Library(
    name="MLflow",
    package="mlflow",
    migrations="store/db_migrations/versions",
    first_table="experiments",
    upgrade=".venv/bin/mlflow db upgrade {url}",
)
ZENML = Library(
    name="ZenML",
    package="zenml",
    migrations="zen_stores/migrations/versions",
    first_table="project",
    upgrade=".venv/bin/zenml stack list",
)


def require_database(library: Library, path: Path, remedy: str) -> None:
    """Checks that the library can use a database file, or create it; changes nothing.

    Args:
        library: Whose database it is.
        path: The SQLite file.
        remedy: What to do to use another one; ends the error's sentence.

    Raises:
        InputError: the file is no database of this library and version, is damaged, or cannot be
            written.
        ChurnError: another program keeps it locked.
    """
    what = f"The {library.name} database {path}"
    if path.exists() and not path.is_file():
        raise InputError(f"{what} is no file; {remedy}.")
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise InputError(f"{what} cannot be read and written by this user; {remedy}.")
    require_writable(path.parent, remedy)
    if not path.exists():
        return
    try:
        tables, revision = _read(path)
    except sqlite3.OperationalError as error:
        raise ChurnError(
            f"{what} cannot be opened within {_WAIT_SECONDS:.0f} s ({error_reason(error)}); end the "
            f"program that holds it, or {remedy}."
        ) from None
    except sqlite3.DatabaseError as error:
        raise InputError(
            f"{what} is damaged, or no SQLite file ({error_reason(error)}); restore it from a "
            f"backup, or {remedy}."
        ) from None
    if tables and library.first_table not in tables:
        few = ", ".join(sorted(tables)[:3])
        raise InputError(f"{what} is the database of another program (tables: {few}); {remedy}.")
    if revision is not None:
        _require_revision(library, what, path, revision, remedy)


def _read(path: Path) -> tuple[set[str], str | None]:
    """Returns the names of the tables and the revision of the schema; None where it has none."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=_WAIT_SECONDS)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = {name for (name,) in found if not name.startswith("sqlite_")}
        if path.stat().st_size <= _SMALL:
            ((state,),) = connection.execute("PRAGMA quick_check(1)")
            if state != "ok":
                raise sqlite3.DatabaseError(state)
        if "alembic_version" not in tables:
            return tables, None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return tables - {"alembic_version"}, row[0] if row else None


def _require_revision(library: Library, what: str, path: Path, revision: str, remedy: str) -> None:
    known, newest = _revisions(library)
    if revision == newest or not known:
        return
    version = metadata.version(library.package)
    if revision in known:
        upgrade = library.upgrade.format(url=f"sqlite:///{path.absolute()}")
        raise InputError(
            f"{what} has the schema of an older version ({revision}) than {library.name} {version} "
            f"here; back it up and run `{upgrade}`, or {remedy}."
        )
    raise InputError(
        f"{what} has a schema ({revision}) that {library.name} {version} here does not know: a newer "
        f"version wrote it; {remedy}."
    )


def _revisions(library: Library) -> tuple[set[str], str]:
    """Returns every revision of the installed library, and the newest; without importing it."""
    distribution = metadata.distribution(library.package)
    folder = Path(str(distribution.locate_file(f"{library.package}/{library.migrations}")))
    known: set[str] = set()
    replaced: set[str] = set()
    for file in folder.glob("*.py"):
        for field, revision in _REVISION.findall(file.read_text(encoding="utf-8")):
            (known if field == "revision" else replaced).add(revision)
    return known, next(iter(known - replaced), "")
