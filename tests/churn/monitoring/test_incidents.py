"""Incidents: from the check that raises an alarm until a person resolves it."""

from datetime import UTC, datetime, timedelta

import pytest

from churn.monitoring.alarms import Resolution, WindowCheck
from churn.monitoring.drift_check import CheckResult
from churn.monitoring.incidents import find_incidents

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def check(number, *, raises=False, moved=()):
    return WindowCheck(
        model="telco", version="1", kind="batch", window=f"w{number}", number=number,
        checked_at=MONDAY + number * timedelta(weeks=1), spent=0.001, raises_alarm=raises,
        moved=moved, result=CheckResult(finding="ok", reason="", rows=500, reference_rows=7000),
    )  # fmt: skip


def resolved(number):
    return Resolution(recorded_at=MONDAY + number * timedelta(weeks=1), number=number, person="Ada")


def shape(incidents):
    return [
        (
            [each.number for each in incident.checks],
            incident.resolution and incident.resolution.number,
        )
        for incident in incidents
    ]


@pytest.mark.parametrize(
    ("raised", "resolutions", "expected"),
    [
        ([], [], []),
        ([2], [], [([2, 3, 4, 5], None)]),
        ([2], [3], [([2, 3], 3)]),
        ([2, 3], [3], [([2, 3], 3)]),
        ([2, 4], [3], [([2, 3], 3), ([4, 5], None)]),
        ([1], [1], [([1], 1)]),
        ([5], [3], [([5], None)]),
    ],
)
def test_an_incident_lasts_from_its_alarm_to_its_resolution(raised, resolutions, expected):
    checks = [check(number, raises=number in raised) for number in range(1, 6)]
    assert shape(find_incidents(checks, [resolved(each) for each in resolutions])) == expected


def test_an_incident_names_itself_and_every_column_once():
    checks = [check(1, raises=True, moved=("b", "a")), check(2, moved=("a", "c"))]
    (incident,) = find_incidents(checks, [])
    assert (incident.name, incident.moved) == ("telco/batch/1", ("b", "a", "c"))
