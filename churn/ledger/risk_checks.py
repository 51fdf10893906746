"""The risk test's states in the ledger's database: each outcome counts once, through restarts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Select, func, insert, select
from sqlalchemy.exc import IntegrityError

from churn.errors import ChurnError, InputError
from churn.ledger.database import DatabaseLedger
from churn.ledger.ledger_tables import RESOLUTIONS, RISK_CHECKS
from churn.monitoring.risk_test import RiskCheck, RiskTest

RISK = "risk"
"""Of its resolutions and sent alerts, beside the kinds of windows."""

_ATTEMPTS = 20


class RiskLedger(DatabaseLedger):
    """Risk tests by model and version."""

    def advance(
        self,
        model: str,
        version: str,
        until: datetime,
        after: Callable[[RiskCheck | None], RiskTest | None],
        *,
        now: datetime | None = None,
    ) -> RiskCheck | None:
        """Keeps the test after the predictions before `until`; what was read before counts once.

        Args:
            model: name of the model.
            version: of the model.
            until: predictions before it are due.
            after: from the newest check to the test after the outcomes since; None for no test yet.
            now: when, with its zone; the clock's time where left out.

        Returns:
            The newest check; None where no test has begun.

        Raises:
            ChurnError: other runs recorded checks all the time.
            InputError: the database cannot be used.
        """
        for _ in range(_ATTEMPTS):
            newest = self.newest(model, version)
            if newest is not None and newest.until >= until:
                return newest
            test = after(newest)
            if test is None:
                return newest
            check = RiskCheck(
                version=version,
                number=self._last_number(model) + 1,
                checked_at=(now or datetime.now(UTC)).astimezone(UTC),
                until=until,
                test=test,
                raises_alarm=test.alarms and not (newest and newest.test.alarms),
            )
            if self._insert(model, check):
                return check
        raise ChurnError(
            f"The risk test of {model!r} could not be recorded: other runs were recording all the "
            "time. Try again."
        )

    def newest(self, model: str, version: str) -> RiskCheck | None:
        """The newest check of a version."""
        found = self._checks(_of(model, version).order_by(RISK_CHECKS.c.number.desc()).limit(1))
        return found[0] if found else None

    def open_alarm(self, model: str, version: str) -> RiskCheck | None:
        """The check that raised the alarm of a version that nobody has resolved; None for none."""
        resolved = select(RESOLUTIONS.c.number).where(
            RESOLUTIONS.c.model == model, RESOLUTIONS.c.kind == RISK
        )
        number = RISK_CHECKS.c.number
        raised = _of(model, version).where(RISK_CHECKS.c.alarmed, number.not_in(resolved))
        found = self._checks(raised.order_by(number).limit(1))
        return found[0] if found else None

    def resolve_alarm(self, model: str, version: str, *, person: str, note: str = "") -> bool:
        """Accepts the alarm of a version in a person's name; whether there was one.

        The version raises no other one.
        """
        alarm = self.open_alarm(model, version)
        if alarm is None or not person.strip():
            return False
        row = {
            "recorded_at": datetime.now(UTC),
            "model": model,
            "kind": RISK,
            "number": alarm.number,
            "person": person.strip(),
            "note": note.strip(),
        }
        with self.transaction() as connection:
            connection.execute(insert(RESOLUTIONS), row)
        return True

    def _insert(self, model: str, check: RiskCheck) -> bool:
        """Keeps a check; False where another run has taken its number."""
        row = check.model_dump(include={"version", "number", "checked_at", "until"})
        row |= {"model": model, "alarmed": check.raises_alarm, "test": check.test.model_dump_json()}
        try:
            with self.transaction() as connection:
                try:
                    connection.execute(insert(RISK_CHECKS), row)
                except IntegrityError:
                    raise _TakenError from None
        except _TakenError:
            return False
        return True

    def _last_number(self, model: str) -> int:
        query = select(func.max(RISK_CHECKS.c.number)).where(RISK_CHECKS.c.model == model)
        with self.transaction() as connection:
            return int(connection.execute(query).scalar() or 0)

    def _checks(self, query: Select[Any]) -> list[RiskCheck]:
        try:
            return [
                RiskCheck(
                    **{name: row[name] for name in ("version", "number", "checked_at", "until")},
                    test=RiskTest.model_validate_json(row["test"]),
                    raises_alarm=row["alarmed"],
                )
                for row in self.rows(query)
            ]
        except ValidationError:
            raise InputError(
                f"The ledger at {self.place} holds a risk test that cannot be read. Use the release "
                "that wrote it, or another ledger."
            ) from None


class _TakenError(Exception):
    """Another run has recorded a check in the meantime."""


def _of(model: str, version: str) -> Select[Any]:
    return select(RISK_CHECKS).where(RISK_CHECKS.c.model == model, RISK_CHECKS.c.version == version)
