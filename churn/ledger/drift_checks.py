"""Drift checks in the ledger's database, and the alarm that follows from them.

Nothing is ever changed: an alarm is open where a check raised one and no later row resolves it. Two
runs that check at once are told apart by unique keys; the one that comes second reads again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from churn.errors import ChurnError, InputError
from churn.ledger.database import DatabaseLedger
from churn.ledger.ledger_tables import DRIFT_CHECKS, RESOLUTIONS, SENT_ALERTS
from churn.monitoring.alarms import YEAR, AlarmPolicy, AlarmState, Resolution, WindowCheck, spend
from churn.monitoring.drift_check import CheckResult
from churn.monitoring.online_fdr import lord_plus_plus

_ATTEMPTS = 20


class _TakenError(Exception):
    """Another run has recorded a check in the meantime."""


class DriftLedger(DatabaseLedger):
    """Checks and alarms by model and kind of window; they survive restarts and new versions."""

    def record_check(
        self,
        result: CheckResult,
        *,
        model: str,
        version: str,
        kind: str,
        window: str,
        policy: AlarmPolicy,
        now: datetime | None = None,
    ) -> AlarmState:
        """Keeps a check and says what follows; a window that was checked before counts once.

        Args:
            result: what the check found.
            model: name of the model.
            version: version of the bundle that it was compared with.
            kind: kind of the window, such as `batch`.
            window: what tells this window from every other, such as the digest of its rows.
            policy: the year's level.
            now: when it was checked, with its zone; the clock's time where left out.

        Raises:
            InputError: a name is empty or too long, or the database cannot be used.
            ChurnError: other runs recorded checks all the time.
        """
        key = {"model": model, "kind": kind, "version": version, "window_id": window}
        _require_names(key)
        for _ in range(_ATTEMPTS):
            try:
                with self.transaction() as connection:
                    return _record(
                        connection, key, result, policy, (now or datetime.now(UTC)).astimezone(UTC)
                    )
            except _TakenError:
                continue
        raise ChurnError(
            f"The check of {kind} window {window} could not be recorded: other runs were recording "
            f"checks of {model!r} all the time. Try again."
        )

    def alarm_state(self, model: str, kind: str) -> AlarmState:
        """How a model and a kind of window stand; `cannot tell` where nothing was ever checked."""
        with self.transaction() as connection:
            return _state(connection, model, kind)

    def checks(self, model: str, kind: str) -> list[WindowCheck]:
        """Every check, oldest first."""
        with self.transaction() as connection:
            return _checks(connection, model, kind)

    def kinds(self, model: str) -> list[str]:
        """The kinds of window that were ever checked, the one of the newest check first."""
        if self.file is not None and not self.file.exists():
            return []
        query = (
            select(DRIFT_CHECKS.c.kind)
            .where(DRIFT_CHECKS.c.model == model)
            .group_by(DRIFT_CHECKS.c.kind)
            .order_by(func.max(DRIFT_CHECKS.c.checked_at).desc(), DRIFT_CHECKS.c.kind)
        )
        with self.transaction() as connection:
            return list(connection.execute(query).scalars())

    def resolutions(self, model: str, kind: str) -> list[Resolution]:
        """What was resolved, oldest first."""
        query = (
            select(*(RESOLUTIONS.c[name] for name in Resolution.model_fields))
            .where(RESOLUTIONS.c.model == model, RESOLUTIONS.c.kind == kind)
            .order_by(RESOLUTIONS.c.id)
        )
        return [Resolution(**row) for row in self.rows(query)]

    def alerts_sent_until(self, model: str, kind: str) -> int | None:
        """The number of the newest check whose alerts were sent; None where none is recorded."""
        query = select(func.max(SENT_ALERTS.c.number)).where(
            SENT_ALERTS.c.model == model, SENT_ALERTS.c.kind == kind
        )
        with self.transaction() as connection:
            return connection.execute(query).scalar()

    def record_sent_alerts(self, model: str, kind: str, number: int) -> None:
        """Keeps that the alerts up to a check were sent."""
        row = {"recorded_at": datetime.now(UTC), "model": model, "kind": kind, "number": number}
        with self.transaction() as connection:
            connection.execute(insert(SENT_ALERTS), row)

    def resolve_alarm(
        self, model: str, kind: str, *, person: str, note: str = "", now: datetime | None = None
    ) -> AlarmState:
        """Closes the alarm that is open, in a person's name.

        Args:
            model: name of the model.
            kind: kind of the window.
            person: who resolves it.
            note: why.
            now: when, with its zone; the clock's time where left out.

        Raises:
            InputError: there is none, no person is named, or the database cannot be used.
        """
        if not person.strip():
            raise InputError("An alarm is resolved by a person. Name the person.")
        with self.transaction() as connection:
            state = _state(connection, model, kind)
            if state.alarm is None or state.check is None:
                raise InputError(
                    f"No alarm is open for {kind} windows of {model!r}, so there is none to resolve."
                )
            connection.execute(
                insert(RESOLUTIONS),
                {
                    "recorded_at": (now or datetime.now(UTC)).astimezone(UTC),
                    "model": model,
                    "kind": kind,
                    "number": state.check.number,
                    "person": person.strip(),
                    "note": note.strip(),
                },
            )
            return _state(connection, model, kind)


def _record(
    connection: Connection,
    key: dict[str, str],
    result: CheckResult,
    policy: AlarmPolicy,
    now: datetime,
) -> AlarmState:
    model, kind = key["model"], key["kind"]
    earlier = _checks(connection, model, kind)
    for each in earlier:
        if (each.version, each.window) == (key["version"], key["window_id"]):
            return _again(_state(connection, model, kind), each)
    # A check whose time is ahead of the clock's counts as one of the last year.
    spending = sum(each.spent > 0 and each.checked_at > now - YEAR for each in earlier)
    spent = spend(result, spending, policy)
    moved = _moved(earlier, key["version"], result, policy)
    check = WindowCheck(
        model=model,
        version=key["version"],
        kind=kind,
        window=key["window_id"],
        number=earlier[-1].number + 1 if earlier else 1,
        checked_at=now,
        spent=spent,
        raises_alarm=result.p_value is not None and spent > 0 and result.p_value <= spent,
        moved=tuple(each.name for each in result.columns if each.name in moved),
        moved_slices=tuple(each.name for each in result.slices if each.name in moved),
        result=result,
    )
    row = check.model_dump(include={"checked_at", "number", "spent", "raises_alarm"})
    try:
        connection.execute(insert(DRIFT_CHECKS), {**key, **row, "found": check.model_dump_json()})
    except IntegrityError:
        raise _TakenError from None
    return _state(connection, model, kind)


def _again(state: AlarmState, check: WindowCheck) -> AlarmState:
    """How things stand, for a window that was checked before: its own check, not the newest."""
    verdict = state.verdict if state.alarm is not None else check.result.finding
    return state.model_copy(update={"already_checked": True, "check": check, "verdict": verdict})


def _moved(
    earlier: list[WindowCheck], version: str, result: CheckResult, policy: AlarmPolicy
) -> set[str]:
    """The columns and slices of a result that LORD++ rejects; its stream begins with the version's first check."""
    stream = [
        each.p_value
        for check in earlier
        if check.version == version
        for each in check.result.hypotheses
    ]
    ours = result.hypotheses
    p_values = [*stream, *(each.p_value for each in ours)]
    found = lord_plus_plus(p_values, level=policy.false_discoveries).rejected
    return {
        each.name for each, rejected in zip(ours, found[len(stream) :], strict=True) if rejected
    }


def _state(connection: Connection, model: str, kind: str) -> AlarmState:
    checks = _checks(connection, model, kind)
    query = select(func.max(RESOLUTIONS.c.number)).where(
        RESOLUTIONS.c.model == model, RESOLUTIONS.c.kind == kind
    )
    resolved = connection.execute(query).scalar() or 0
    raised = [each for each in checks if each.raises_alarm and each.number > resolved]
    if not checks:
        return AlarmState(verdict="cannot tell", check=None)
    newest = checks[-1]
    if raised:
        return AlarmState(verdict="alarm", check=newest, alarm=raised[0])
    return AlarmState(verdict=newest.result.finding, check=newest)


def _checks(connection: Connection, model: str, kind: str) -> list[WindowCheck]:
    query = (
        select(DRIFT_CHECKS.c.found)
        .where(DRIFT_CHECKS.c.model == model, DRIFT_CHECKS.c.kind == kind)
        .order_by(DRIFT_CHECKS.c.number)
    )
    try:
        return [
            WindowCheck.model_validate_json(found) for found in connection.execute(query).scalars()
        ]
    except ValidationError:
        raise InputError(
            f"The ledger holds a drift check of {model!r} that cannot be read. Use the release that "
            "wrote it, or another ledger."
        ) from None


def _require_names(key: dict[str, Any]) -> None:
    for field, name in key.items():
        most = DRIFT_CHECKS.c[field].type.length  # type: ignore[attr-defined]  # all are strings
        if not name.strip() or len(name) > most:
            raise InputError(
                f"A drift check needs a {field.removesuffix('_id')} of 1 to {most} letters; it has "
                f"{len(name)}."
            )
