"""Monitoring reads the predictions of a time with what became known later, in whichever month."""

from datetime import UTC, datetime, timedelta

import pytest

from churn.ledger import predictions as predictions_module
from churn.ledger.predictions import Outcome, Prediction, PredictionLedger

SEPTEMBER, OCTOBER, NOVEMBER = (datetime(2026, month, 1, tzinfo=UTC) for month in (9, 10, 11))
DAY, MICROSECOND = timedelta(days=1), timedelta(microseconds=1)


@pytest.fixture(params=[1, 5_000], ids=["row by row", "at once"])
def ledger(request, tmp_path, monkeypatch):
    monkeypatch.setattr(predictions_module, "_READ_ROWS", request.param)
    with PredictionLedger(f"sqlite:///{tmp_path}/ledger.db") as opened:
        yield opened


@pytest.fixture
def record_outcomes(ledger, monkeypatch):
    """Records outcomes at a time."""

    def record(now, *outcomes):
        class Clock(datetime):
            @classmethod
            def now(cls, tz=None):
                return now.astimezone(tz)

        monkeypatch.setattr(predictions_module, "datetime", Clock)
        ledger.record_outcomes(outcomes)

    return record


def prediction(name, at, customer=None, role="production"):
    return Prediction(at, name, customer, "7", role, "api", 0.5, True, "ab" * 16)


def read(ledger, since=SEPTEMBER, until=NOVEMBER):
    found = ledger.predictions_with_outcomes(since, until)
    return [(one.prediction_id, outcome and outcome.churned) for one, outcome in found]


def test_the_time_read_begins_at_its_first_moment_and_ends_before_its_last(ledger):
    moments = {
        "before": OCTOBER - MICROSECOND, "first": OCTOBER, "last": NOVEMBER - MICROSECOND,
        "after": NOVEMBER,
    }  # fmt: skip
    ledger.record([prediction(name, at) for name, at in moments.items()])

    assert read(ledger, OCTOBER, NOVEMBER) == [("first", None), ("last", None)]
    assert read(ledger, OCTOBER, OCTOBER) == []
    assert [name for name, _ in read(ledger, SEPTEMBER, NOVEMBER + DAY)] == [*moments]


def test_outcomes_of_later_months_are_found_by_prediction_and_by_customer(ledger, record_outcomes):
    ledger.record([
        prediction("a", SEPTEMBER), prediction("b", OCTOBER, "C2"), prediction("c", OCTOBER, "C3"),
        prediction("a", SEPTEMBER, role="shadow"),
    ])  # fmt: skip
    record_outcomes(OCTOBER, Outcome(OCTOBER, churned=True, prediction_id="a"))
    record_outcomes(NOVEMBER, Outcome(NOVEMBER, churned=False, customer="C2"))

    assert read(ledger) == [("a", True), ("a", True), ("b", False), ("c", None)]


def test_the_last_that_was_recorded_counts_and_that_of_the_prediction_before_that_of_the_customer(
    ledger, record_outcomes
):
    ledger.record([prediction("a", SEPTEMBER, "C1"), prediction("b", SEPTEMBER, "C2")])
    record_outcomes(OCTOBER, Outcome(OCTOBER, churned=True, prediction_id="a"))
    record_outcomes(
        NOVEMBER,
        Outcome(OCTOBER, churned=False, customer="C1"),
        Outcome(OCTOBER, churned=True, customer="C2"),
        Outcome(OCTOBER - DAY, churned=False, customer="C2"),
    )

    assert read(ledger) == [("a", True), ("b", False)]


def test_what_was_observed_of_a_customer_before_the_prediction_is_not_its_outcome(
    ledger, record_outcomes
):
    ledger.record([prediction("a", OCTOBER, "C1"), prediction("b", OCTOBER + MICROSECOND, "C1")])
    record_outcomes(
        NOVEMBER,
        Outcome(OCTOBER, churned=True, customer="C1"),
        Outcome(SEPTEMBER, churned=False, customer="C1"),
    )

    assert read(ledger) == [("a", True), ("b", None)]


def test_one_who_stops_reading_holds_nothing(ledger):
    ledger.record([prediction(f"p-{n}", OCTOBER) for n in range(10)])

    found = ledger.predictions_with_outcomes(OCTOBER, NOVEMBER)
    next(found)
    found.close()

    assert len(read(ledger)) == 10
