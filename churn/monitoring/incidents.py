"""Incidents: an alarm from the check that raised it until a person resolved it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from churn.monitoring.alarms import Resolution, WindowCheck


@dataclass(frozen=True)
class Incident:
    """One alarm.

    Attributes:
        checks: the check that raised it, and those until it was resolved; never empty.
        resolution: what closed it; None while it is open.
    """

    checks: tuple[WindowCheck, ...]
    resolution: Resolution | None = None

    @property
    def raised(self) -> WindowCheck:
        """The check that raised the alarm."""
        return self.checks[0]

    @property
    def name(self) -> str:
        """What tells it from every other: model, kind of window, and the number of its check."""
        return f"{self.raised.model}/{self.raised.kind}/{self.raised.number}"

    @property
    def moved(self) -> tuple[str, ...]:
        """The columns that moved in any of its checks, in the order in which they were named."""
        return tuple(dict.fromkeys(name for check in self.checks for name in check.moved))


def find_incidents(
    checks: Sequence[WindowCheck], resolutions: Sequence[Resolution]
) -> tuple[Incident, ...]:
    """The incidents of a model and a kind of window, oldest first; both are given oldest first."""
    found: list[Incident] = []
    waiting = list(checks)
    for resolution in resolutions:
        reported = [each for each in waiting if each.number <= resolution.number]
        waiting = [each for each in waiting if each.number > resolution.number]
        found += _incident(reported, resolution)
    return (*found, *_incident(waiting, None))


def _incident(checks: Sequence[WindowCheck], resolution: Resolution | None) -> list[Incident]:
    raised = next((place for place, each in enumerate(checks) if each.raises_alarm), None)
    return [] if raised is None else [Incident(tuple(checks[raised:]), resolution)]
