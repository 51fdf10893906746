"""A prediction is kept once, however often it is written; ledgers of before lose their repeats."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from churn.errors import InputError
from churn.ledger.predictions import Prediction, PredictionLedger

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


def prediction(number, **otherwise):
    at = AT + timedelta(seconds=number)
    made = Prediction(at, f"p-{number}", "C1", "7", "production", "stream", 0.5, True, "ab" * 16)
    return made._replace(**otherwise)


@pytest.fixture
def ledger(tmp_path):
    with PredictionLedger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


@pytest.mark.parametrize("count", [1, 9, 300])
def test_what_is_written_again_stays_as_it_was_first_and_the_rest_is_added(ledger, count):
    first = [prediction(number) for number in range(count)]
    again = [each._replace(probability=0.9, predicted_at=AT + timedelta(1)) for each in first]
    new = [prediction(count + number) for number in range(count)]

    ledger.record(first)
    ledger.record([*again, *new])
    ledger.record(new)

    assert ledger.predictions() == first + new


def test_one_id_may_have_another_role_and_another_version(ledger):
    rows = [prediction(1), prediction(1, role="shadow"), prediction(1, version="8"), prediction(2)]

    ledger.record(rows)
    ledger.record([*rows, rows[0]])

    assert ledger.predictions() == rows


def test_a_repeat_in_the_same_call_is_kept_once(ledger):
    ledger.record([prediction(1), prediction(1, probability=0.75), prediction(2)])

    assert ledger.predictions() == [prediction(1), prediction(2)]


def test_a_row_that_is_at_fault_is_still_refused(ledger):
    with pytest.raises(InputError, match="NOT NULL"):
        ledger.record([prediction(1), prediction(2, version=None)])

    assert ledger.count() == 0


@pytest.mark.parametrize(
    ("hours", "found"), [(0, [1, 2]), (23.9, [1, 2]), (24.1, [2])], ids=["midnight", "day", "later"]
)
def test_what_was_recorded_is_found_over_the_end_of_a_month(ledger, hours, found):
    midnight = datetime(2026, 12, 1, tzinfo=UTC)
    last = prediction(1, predicted_at=midnight - timedelta(microseconds=1))
    rows = [last, prediction(2, predicted_at=midnight), prediction(3, predicted_at=midnight)]
    ledger.record(rows)

    now = midnight + timedelta(hours=hours)
    kept = ledger.recorded(["p-1", "p-2", "p-9"], now)
    ledger.record(kept)

    assert kept == [rows[number - 1] for number in found]
    assert ledger.count() == 3


@pytest.mark.parametrize(("month", "found"), [(10, [1, 2]), (11, [2]), (12, [])])
def test_what_was_recorded_is_found_since_the_oldest_message_however_long_ago(ledger, month, found):
    rows = [
        prediction(number, predicted_at=datetime(2026, 9 + number, 5, tzinfo=UTC))
        for number in (1, 2)
    ]
    ledger.record(rows)
    since = datetime(2026, month, 3, tzinfo=UTC)

    kept = ledger.recorded(["p-1", "p-2"], datetime(2026, 12, 9, tzinfo=UTC), since)

    assert kept == [rows[number - 1] for number in found]


def test_what_was_never_recorded_is_not_found_and_makes_no_month(ledger, tmp_path):
    assert ledger.recorded(["p-1"], datetime(2026, 12, 1, tzinfo=UTC)) == []
    assert [file.name for file in tmp_path.glob("ledger-*.db")] == ["ledger-2026-12.db"]


def as_before(file):
    """Makes the table of a month as revision 2 had it, with a second and a third writing of row 1."""
    with closing(sqlite3.connect(file)) as database:
        database.executescript("""
            DROP INDEX ix_predictions_identity;
            CREATE INDEX ix_predictions_prediction_id ON predictions (prediction_id);
            INSERT INTO predictions SELECT id + 100, predicted_at, prediction_id, customer, version, role,
                source, 0.9, decision, input_hash, model FROM predictions WHERE id < 3;
            INSERT INTO predictions SELECT id + 200, predicted_at, prediction_id, customer, version, role,
                source, 0.8, decision, input_hash, model FROM predictions WHERE id = 1;
            PRAGMA user_version = 2;
        """)


def test_a_ledger_of_before_keeps_the_first_of_each_and_refuses_to_be_changed_as_ever(tmp_path):
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    rows = [prediction(1), prediction(1, role="shadow"), prediction(2)]
    with PredictionLedger(address) as ledger:
        ledger.record(rows)
    (month,) = tmp_path.glob("ledger-*.db")
    as_before(month)

    with PredictionLedger(address) as ledger:
        assert ledger.predictions() == rows
        ledger.record([*rows, prediction(3)])
        assert ledger.count() == 4

    with closing(sqlite3.connect(month)) as database:
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            database.execute("DELETE FROM predictions")
        names = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    assert "ix_predictions_identity" in names
    assert "ix_predictions_prediction_id" not in names
