"""What people are told about incidents: once when one opens, at each further check, and when it is resolved."""

from __future__ import annotations

from collections.abc import Sequence

from churn.alert import Alert, IncidentState, Level
from churn.monitoring.alarms import Resolution, WindowCheck
from churn.monitoring.incidents import Incident, find_incidents
from churn.monitoring.risk_test import RiskCheck

RUNBOOK = "docs/runbooks.md#churndriftalarm"
RISK_RUNBOOK = "docs/runbooks.md#churnriskalarm"


def incident_alerts(
    checks: Sequence[WindowCheck],
    resolutions: Sequence[Resolution],
    sent_until: int | None = None,
) -> tuple[Alert, ...]:
    """The alerts that the checks since the last alerts call for; none where there is no such check.

    What a person resolved since then is told, too: a resolution is no run. A run that died before its
    alerts were sent leaves them to the next.

    Args:
        checks: of a model and a kind of window, oldest first.
        resolutions: of the same, oldest first.
        sent_until: number of the newest check whose alerts were sent; None takes all but the newest.
    """
    if not checks:
        return ()
    newest, found = checks[-1], []
    if sent_until is None:
        sent_until = checks[-2].number if len(checks) > 1 else 0
    if newest.number <= sent_until:
        return ()
    for incident in find_incidents(checks, resolutions):
        if incident.resolution is None:
            found.append(
                _alert(incident, "opened" if incident.raised.number > sent_until else "updated")
            )
        elif incident.checks[-1].number >= sent_until:
            found.append(_alert(incident, "resolved"))
    return tuple(found)


def risk_alert(model: str, alarm: RiskCheck) -> Alert:
    """The alert of a risk test that alarms for the first time."""
    return Alert(
        title=f"{model}: risk alarm opened",
        text=f"Version {alarm.version}: {alarm.test.sentence}",
        level="error",
        incident=f"{model}/risk/{alarm.number}",
        state="opened",
        runbook=RISK_RUNBOOK,
    )


def _alert(incident: Incident, state: IncidentState) -> Alert:
    raised, newest = incident.raised, incident.checks[-1]
    level: Level = "info" if state == "resolved" else "warning"
    return Alert(
        title=f"{raised.model}: drift alarm {state}",
        text=_text(incident, state, newest),
        level=level,
        incident=incident.name,
        state=state,
        runbook=RUNBOOK,
    )


def _text(incident: Incident, state: IncidentState, newest: WindowCheck) -> str:
    since = f"The {newest.kind} windows of version {newest.version}"
    if state == "resolved" and incident.resolution is not None:
        closed = incident.resolution
        note = f": {closed.note}" if closed.note else ""
        return f"{since} had an alarm from {incident.raised.checked_at:%Y-%m-%d}; {closed.person} resolved it{note}."
    moved = f" Moved: {', '.join(incident.moved)}." if incident.moved else ""
    count = len(incident.checks)
    checks = (
        ""
        if count == 1
        else f" {count} checks since then, that one included; nobody has resolved it."
    )
    return f"{since} raised an alarm on {incident.raised.checked_at:%Y-%m-%d}. {newest.result.reason}{moved}{checks}"
