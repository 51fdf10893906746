"""What people are told about incidents: once when one opens, at each further check, and when it is resolved."""

from __future__ import annotations

from collections.abc import Sequence

from churn.alert import Alert, IncidentState, Level
from churn.monitoring.alarms import Resolution, WindowCheck
from churn.monitoring.incidents import Incident, find_incidents

RUNBOOK = "docs/runbooks.md#churndriftalarm"


def incident_alerts(
    checks: Sequence[WindowCheck], resolutions: Sequence[Resolution]
) -> tuple[Alert, ...]:
    """The alerts that the newest check calls for; a check that was made before calls for none anew.

    What a person resolved since the check before it is told, too: a resolution is no run.

    Args:
        checks: of a model and a kind of window, oldest first.
        resolutions: of the same, oldest first.
    """
    if not checks:
        return ()
    newest, found = checks[-1], []
    before = checks[-2].number if len(checks) > 1 else 0
    for incident in find_incidents(checks, resolutions):
        if incident.resolution is not None:
            if incident.checks[-1].number == before:
                found.append(_alert(incident, "resolved"))
        else:
            found.append(_alert(incident, "opened" if incident.raised is newest else "updated"))
    return tuple(found)


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
