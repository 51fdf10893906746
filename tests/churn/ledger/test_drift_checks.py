"""Drift checks and alarms over time: what is kept, what is counted, what stays."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta

import pytest

from churn.errors import InputError
from churn.ledger.drift_checks import DriftLedger
from churn.monitoring.alarms import AlarmPolicy
from churn.monitoring.drift_check import CheckResult, ColumnDrift

MONDAY = datetime(2026, 11, 30, 6, tzinfo=UTC)
WEEK = timedelta(days=7)
POLICY = AlarmPolicy()  # .05 / 52 a check
ALARMING = POLICY.alarm_level


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def ledger(url):
    with DriftLedger(url) as opened:
        yield opened


def result(p_value=0.5, **columns):
    finding = "cannot tell" if p_value is None else "watch" if p_value <= 0.05 else "ok"
    return CheckResult(
        finding=finding,
        reason="",
        rows=500,
        reference_rows=7043,
        p_value=p_value,
        columns=tuple(
            ColumnDrift(name=name, p_value=each, psi=0, psi_expected=0, unknown=0)
            for name, each in columns.items()
        ),
    )


def record(ledger, found, window, **more):
    said = {
        "model": "telco-churn",
        "version": "7",
        "kind": "batch",
        "policy": POLICY,
        "now": MONDAY,
    }
    return ledger.record_check(found, window=window, **said | more)


def test_a_model_without_checks_has_no_state(ledger):
    state = ledger.alarm_state("telco-churn", "batch")
    assert (state.verdict, state.check, state.alarm) == ("cannot tell", None, None)


@pytest.mark.parametrize(
    ("p_value", "verdict"),
    [
        (0.5, "ok"),
        (0.05, "watch"),
        (ALARMING * 1.001, "watch"),
        (ALARMING, "alarm"),
        (None, "cannot tell"),
    ],
)
def test_only_the_years_level_raises_an_alarm(ledger, p_value, verdict):
    state = record(ledger, result(p_value), "a")
    assert state.verdict == verdict
    assert state.check.spent == (0 if p_value is None else ALARMING)
    assert (state.alarm is not None) == (verdict == "alarm")


def test_an_alarm_stays_until_a_person_resolves_it(ledger, url):
    raised = record(ledger, result(1e-4), "a").alarm
    for window in "bc":
        state = record(ledger, result(0.9), window)
        assert (state.verdict, state.alarm) == ("alarm", raised)
        assert state.check.result.finding == "ok"
    with DriftLedger(url) as again:  # a restart, and a new version of the model
        assert record(again, result(0.9), "d", version="8").verdict == "alarm"
    assert ledger.alarm_state("telco-churn", "predictions").verdict == "cannot tell"
    assert ledger.alarm_state("other", "batch").verdict == "cannot tell"

    assert ledger.resolve_alarm("telco-churn", "batch", person=" Ada ").verdict == "ok"

    assert record(ledger, result(0.02), "e").verdict == "watch"
    assert record(ledger, result(1e-4), "f").verdict == "alarm"  # what has not ended alarms anew


def test_only_an_open_alarm_is_resolved_and_by_a_person(ledger):
    record(ledger, result(0.02), "a")
    with pytest.raises(InputError, match="No alarm is open for batch windows of 'telco-churn'"):
        ledger.resolve_alarm("telco-churn", "batch", person="Ada")
    with pytest.raises(InputError, match="Name the person"):
        ledger.resolve_alarm("telco-churn", "batch", person=" ")


def test_the_same_window_counts_once(ledger):
    first = record(ledger, result(0.5), "a")
    second = record(ledger, result(1e-4), "a", now=MONDAY + WEEK)

    assert (first.already_checked, second.already_checked) == (False, True)
    assert second.verdict == "ok"
    assert second.check == first.check
    assert len(ledger.checks("telco-churn", "batch")) == 1


def test_a_window_that_was_checked_before_has_its_own_check_and_not_the_newest(ledger):
    record(ledger, result(0.01), "a")
    record(ledger, result(0.5), "b", now=MONDAY + WEEK)

    again = record(ledger, result(0.01), "a", now=MONDAY + 2 * WEEK)

    assert (again.verdict, again.check.window, again.already_checked) == ("watch", "a", True)
    record(ledger, result(1e-5), "c", now=MONDAY + 3 * WEEK)
    again = record(ledger, result(0.5), "b", now=MONDAY + 4 * WEEK)
    assert (again.verdict, again.check.window, again.alarm.window) == ("alarm", "b", "c")


def test_a_year_has_so_many_checks_and_no_more(ledger):
    policy = AlarmPolicy(checks_per_year=3)
    for place in range(3):
        assert record(ledger, result(0.5), f"{place}", policy=policy, now=MONDAY + place * WEEK)
    record(ledger, result(None), "untold", policy=policy, now=MONDAY + 3 * WEEK)

    state = record(ledger, result(1e-5), "late", policy=policy, now=MONDAY + 4 * WEEK)
    assert (state.verdict, state.check.spent) == ("watch", 0)

    state = record(ledger, result(0.0), "none", policy=policy, now=MONDAY + 5 * WEEK)
    assert (state.verdict, state.check.spent) == ("watch", 0)

    # The first check is a year old, and its part is there to be spent again.
    almost = MONDAY + timedelta(days=365, seconds=-1)
    assert record(ledger, result(1e-5), "early", policy=policy, now=almost).verdict == "watch"
    anew = record(ledger, result(1e-5), "anew", policy=policy, now=MONDAY + timedelta(days=365))
    assert (anew.verdict, anew.check.spent) == ("alarm", policy.alarm_level)


def test_a_clock_that_goes_back_gives_no_level_away(ledger):
    policy = AlarmPolicy(checks_per_year=1)
    record(ledger, result(0.5), "a", policy=policy, now=MONDAY + 500 * WEEK)
    assert record(ledger, result(1e-5), "b", policy=policy, now=MONDAY).check.spent == 0


def test_the_columns_that_moved_are_named_by_a_stream_of_their_version(ledger):
    first = record(ledger, result(1e-4, gender=0.7, Contract=1e-8, tenure=0.3), "a")
    assert first.check.moved == ("Contract",)
    quiet = {f"column{place}": 0.5 for place in range(200)}
    record(ledger, result(0.5, **quiet), "b", version="8")
    later = record(ledger, result(0.02, gender=1e-4), "c")
    assert later.check.moved == ("gender",)  # a rejection has earned wealth
    assert record(ledger, result(0.02, gender=1e-4), "d", version="8").check.moved == ()


def test_two_runs_at_once_count_once(ledger, url):
    with ledger.transaction():
        pass
    states, errors = [], []
    start = threading.Barrier(8)

    def run(place):
        try:
            with DriftLedger(url) as own:
                start.wait()
                states.append(record(own, result(0.5), f"window {place % 2}"))
        except Exception as error:  # noqa: BLE001 - a thread's error would be lost
            errors.append(error)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert errors == []
    assert sum(not state.already_checked for state in states) == 2
    assert [check.number for check in ledger.checks("telco-churn", "batch")] == [1, 2]


def test_what_was_recorded_cannot_be_changed(ledger):
    record(ledger, result(1e-4), "a")
    ledger.resolve_alarm("telco-churn", "batch", person="Ada")
    for statement in ("UPDATE drift_checks SET spent = 0", "DELETE FROM alarm_resolutions"):
        with (
            sqlite3.connect(ledger.file) as database,
            pytest.raises(sqlite3.IntegrityError, match="only grows"),
        ):
            database.execute(statement)


def test_a_ledger_of_before_the_checks_gets_their_tables(ledger, url):
    with ledger.transaction():
        pass
    with sqlite3.connect(ledger.file) as database:
        for table in ("drift_checks", "alarm_resolutions"):
            database.execute(f"DROP TABLE {table}")
        database.execute("PRAGMA user_version = 2")

    with DriftLedger(url) as opened:
        assert record(opened, result(1e-4), "a").verdict == "alarm"
        assert record(opened, result(0.5), "a").already_checked
        with pytest.raises(sqlite3.IntegrityError), sqlite3.connect(ledger.file) as database:
            database.execute(
                "INSERT INTO drift_checks SELECT 9, checked_at, model, version, kind, window_id, "
                "9, spent, raises_alarm, found FROM drift_checks"
            )


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"kind": " "}, "needs a kind of 1 to 40 letters"),
        ({"kind": "k" * 41}, "needs a kind of 1 to 40 letters; it has 41"),
        ({"model": ""}, "needs a model of 1 to 200"),
    ],
)
def test_a_name_that_is_none_is_refused(ledger, wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        record(ledger, result(), "a", **wrong)


def test_a_record_that_cannot_be_read_is_said(ledger):
    record(ledger, result(), "a")
    with sqlite3.connect(ledger.file) as database:
        database.execute("DROP TRIGGER drift_checks_no_update")
        database.execute("UPDATE drift_checks SET found = '{}'")
    with pytest.raises(InputError, match="a drift check of 'telco-churn' that cannot be read"):
        ledger.alarm_state("telco-churn", "batch")


def test_a_ledger_that_is_gone_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        DriftLedger(f"sqlite:///{tmp_path / 'file' / 'ledger.db'}") as ledger,
        pytest.raises(InputError, match="cannot be used"),
    ):
        record(ledger, result(), "a")
