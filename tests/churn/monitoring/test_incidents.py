"""Incidents: from the check that raises an alarm until a person resolves it."""

from datetime import UTC, datetime, timedelta

import pytest

from churn.monitoring.alarms import Resolution, WindowCheck
from churn.monitoring.drift_check import CheckResult
from churn.monitoring.incident_alerts import incident_alerts
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


def reported(checks, resolutions):
    return [(alert.state, alert.incident) for alert in incident_alerts(checks, resolutions)]


def test_an_incident_is_reported_when_it_opens_at_each_check_and_once_when_it_is_resolved():
    checks, resolutions, stream = [], [], []
    for number in range(1, 8):
        checks.append(check(number, raises=number in (2, 6)))
        stream.append(reported(checks, resolutions))
        if number == 3:
            resolutions.append(resolved(number))

    assert stream == [
        [],
        [("opened", "telco/batch/2")],
        [("updated", "telco/batch/2")],
        [("resolved", "telco/batch/2")],
        [],
        [("opened", "telco/batch/6")],
        [("updated", "telco/batch/6")],
    ]


def test_what_alarms_again_right_after_its_resolution_is_another_incident():
    checks = [check(1, raises=True), check(2, raises=True)]
    assert reported(checks, [resolved(1)]) == [
        ("resolved", "telco/batch/1"),
        ("opened", "telco/batch/2"),
    ]
    assert reported([], []) == []


def test_an_alert_says_what_moved_since_when_and_where_to_read_on():
    checks = [check(1, raises=True, moved=("Price",)), check(2, moved=("Tenure",))]
    (opened,) = incident_alerts(checks[:1], [])
    (updated,) = incident_alerts(checks, [])
    (closed,) = incident_alerts([*checks, check(3)], [resolved(2)])

    assert (opened.title, opened.level) == ("telco: drift alarm opened", "warning")
    assert "on 2026-01-12." in opened.text
    assert opened.text.endswith("Moved: Price.")
    assert "Moved: Price, Tenure. 2 checks since then" in updated.text
    assert closed.level == "info"
    assert closed.text.endswith("Ada resolved it.")
    assert {each.runbook for each in (opened, updated, closed)} == {
        "docs/runbooks.md#churndriftalarm"
    }


@pytest.mark.parametrize(
    ("sent_until", "states"),
    [
        (None, ["updated"]),  # a ledger of before: all but the newest are taken as sent
        (0, ["opened"]),
        (1, ["opened"]),  # the run that raised it died before its alert
        (2, ["updated"]),
        (3, []),
    ],
)
def test_what_a_run_that_died_had_not_sent_is_sent_by_the_next(sent_until, states):
    checks = [check(1), check(2, raises=True), check(3)]

    assert [each.state for each in incident_alerts(checks, [], sent_until)] == states


def test_a_resolution_that_no_run_has_sent_is_sent_once():
    checks = [check(1, raises=True), check(2), check(3)]

    assert [each.state for each in incident_alerts(checks, [resolved(1)], 1)] == ["resolved"]
    assert [each.state for each in incident_alerts(checks, [resolved(1)], 2)] == []
