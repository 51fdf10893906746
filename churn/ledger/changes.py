"""Changes of what is in production: a row before the first write of a change, and one after its last.

A change whose newest row is `intended` was broken off; the next command finishes or undoes it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, Field
from sqlalchemy import Connection, Select, insert, select
from sqlalchemy.exc import SQLAlchemyError

from churn.errors import ChurnError
from churn.frozen_model import FrozenModel
from churn.ledger.database import DatabaseLedger
from churn.ledger.ledger_tables import CHANGES
from churn.ledger.private_file import make_private

_POSTGRES_LOCK = int.from_bytes(b"changes")
_RETRY_SECONDS = 0.05

Command = Literal["promotion", "rollback", "deployment", "comparison"]


class ProductionChange(FrozenModel):
    """A change of the version in production, as far as it had got when it was recorded.

    Attributes:
        version: the version that goes into production.
        version_before: the version in production until then; None where there was none.
        stage_before: the stage of `version` until then.
        command: what changes it; a comparison mends places that name different versions.
        status: intended; then done, or undone.
        person: who approved it, or takes the responsibility; may be empty.
        reason: why.
        recorded_at: in UTC.
    """

    model: str
    version: str
    version_before: str | None
    stage_before: str | None
    command: Command
    status: Literal["intended", "done", "undone"] = "intended"
    person: str = ""
    reason: str
    recorded_at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))

    @property
    def open(self) -> bool:
        """Whether it is neither done nor undone."""
        return self.status == "intended"

    @property
    def in_production(self) -> str | None:
        """The version in production by this record; until a change is done, the one before it."""
        return self.version if self.status == "done" else self.version_before

    def closed(self, status: Literal["done", "undone"]) -> ProductionChange:
        """Returns the row that closes it."""
        return self.model_copy(update={"status": status, "recorded_at": datetime.now(UTC)})


class ChangeLedger(DatabaseLedger):
    """Changes of production in a database, and the lock that lets one command change it at a time."""

    def record_change(self, change: ProductionChange) -> None:
        """Keeps a change.

        Raises:
            InputError: the database cannot be written to.
        """
        with self.transaction() as connection:
            connection.execute(insert(CHANGES), change.model_dump())

    def last_change(self, model: str) -> ProductionChange | None:
        """Returns the newest change of a model; None where there is none, and no file is made then."""
        if self.file is not None and not self.file.exists():
            return None
        found = self._changes(_changes_of(model).limit(1))
        return found[0] if found else None

    def changes(self, model: str) -> list[ProductionChange]:
        """Returns every change of a model, newest first."""
        return self._changes(_changes_of(model))

    def models(self) -> list[str]:
        """Returns the names of the models that were ever changed, in order."""
        if self.file is not None and not self.file.exists():
            return []
        names = select(CHANGES.c.model).distinct().order_by(CHANGES.c.model)
        return [row["model"] for row in self.rows(names)]

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Waits until no other command changes production, and keeps others waiting meanwhile.

        The lock of a process that dies is released. A database other than SQLite and PostgreSQL
        has none.

        Raises:
            ChurnError: another command holds the lock for too long.
            InputError: the database cannot be used.
        """
        with ExitStack() as held:
            with self.reported():
                if self.file is not None:
                    make_private(self.file)
                    lock = self.file.with_name(f"{self.file.name}.changing")
                    held.enter_context(_locked(lock, self._lock_seconds))
                elif self._url.get_backend_name() == "postgresql":
                    connection = self._engine.connect()
                    held.callback(_let_go, connection)
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})")
            yield

    def _changes(self, query: Select[Any]) -> list[ProductionChange]:
        return [ProductionChange(**row) for row in self.rows(query)]


def _changes_of(model: str) -> Select[Any]:
    return select(CHANGES).where(CHANGES.c.model == model).order_by(CHANGES.c.id.desc())


def _let_go(connection: Connection) -> None:
    """Ends a connection, and its lock with it; where the server is gone, both have ended already."""
    with suppress(SQLAlchemyError):
        connection.close()


@contextmanager
def _locked(path: Path, seconds: float) -> Iterator[None]:
    until = time.monotonic() + seconds
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise ChurnError(
                        "Another promotion, rollback or deployment is changing what is in "
                        f"production, and holds {path}. Wait until it is done, and try again."
                    ) from None
            time.sleep(_RETRY_SECONDS)
        yield
