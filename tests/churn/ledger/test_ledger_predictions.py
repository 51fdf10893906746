"""Predictions and outcomes are kept as they were told, by several writers, and only added to."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from churn.errors import InputError
from churn.ledger.predictions import (
    Outcome,
    Prediction,
    PredictionLedger,
    TreatmentRecord,
    input_hash,
)

NOON = datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path):
    ledger = PredictionLedger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.close()


def prediction(number: int, **otherwise) -> Prediction:
    return Prediction(
        predicted_at=NOON + timedelta(seconds=number),
        prediction_id=f"p-{number}",
        customer=None if number % 3 == 0 else f"C{number}",
        version="7",
        role="production",
        source="api",
        probability=1 / (number + 1),
        decision=number % 2 == 0,
        input_hash=input_hash([float(number), 0.5]),
    )._replace(**otherwise)


@pytest.mark.parametrize("count", [0, 1, 9, 10, 101, 357, 2051])
def test_predictions_come_back_as_they_were_recorded_and_in_order(ledger, count):
    recorded = [prediction(number) for number in range(count)]

    ledger.record(recorded)

    assert ledger.predictions() == recorded
    assert ledger.count() == count


def test_predictions_can_be_read_part_by_part(ledger):
    ledger.record([prediction(number) for number in range(30)])

    assert [p.prediction_id for p in ledger.predictions(after=10, limit=3)] == [
        "p-10",
        "p-11",
        "p-12",
    ]


def test_a_time_in_another_zone_is_kept_as_the_same_moment(ledger):
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))

    ledger.record([prediction(0, predicted_at=elsewhere)])
    ledger.record_outcomes([Outcome(elsewhere, churned=True, customer="a")])

    assert ledger.predictions()[0].predicted_at == NOON
    assert ledger.outcomes() == [Outcome(elsewhere, churned=True, customer="a")]


def test_who_was_treated_and_of_which_model_a_prediction_is_come_back(ledger):
    treated = TreatmentRecord(NOON, treated=True, prediction_id="p-0")
    held_out = TreatmentRecord(NOON.astimezone(timezone(timedelta(hours=5))), False, customer="C1")

    ledger.record([prediction(0, model="telco-churn")])
    ledger.record_treatments([])
    ledger.record_treatments([treated, held_out])

    assert ledger.predictions()[0].model == "telco-churn"
    assert ledger.treatments() == [treated, held_out]
    assert ledger.treatments(after=1, limit=1) == [held_out]


def test_of_a_batch_all_is_kept_or_nothing(ledger):
    ledger.record([prediction(0)])

    with pytest.raises(InputError, match="cannot be used"):
        ledger.record([*(prediction(n) for n in range(150)), prediction(1, version=None)])

    assert ledger.count() == 1


def test_two_writers_share_one_database(ledger, tmp_path):
    other = PredictionLedger(f"sqlite:///{tmp_path / 'ledger.db'}")
    for number in range(5):
        ledger.record([prediction(2 * number)])
        other.record([prediction(2 * number + 1)])
    other.close()

    assert [p.prediction_id for p in ledger.predictions()] == [f"p-{n}" for n in range(10)]


@pytest.mark.parametrize("change", ["UPDATE {} SET customer = 'x'", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["predictions", "outcomes"])
def test_nothing_that_was_written_can_be_changed(ledger, tmp_path, change, table):
    ledger.record([prediction(1)])
    ledger.record_outcomes([Outcome(NOON, churned=True, prediction_id="p-1")])

    month = "2026-11" if table == "predictions" else f"{datetime.now(UTC):%Y-%m}"
    engine = create_engine(f"sqlite:///{tmp_path / f'ledger-{month}.db'}")
    with pytest.raises(SQLAlchemyError, match="only grows"), engine.begin() as connection:
        connection.execute(text(change.format(table)))
    engine.dispose()


def test_the_input_hash_distinguishes_customers_and_shows_no_value():
    one, other = input_hash([1.0, 29.85]), input_hash([1.0, 29.86])

    assert one == input_hash([1.0, 29.85])
    assert one != other
    assert len(one) == 32


def test_predictions_need_neither_pandas_nor_the_promotion_gates(root):
    import subprocess
    import sys

    code = "import churn.ledger.predictions, sys; print({'pandas', 'churn.promotion'} & set(sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )

    assert ran.stdout.strip() == "set()"
