"""Answers as arrays have the outcomes that they have one by one."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from churn.ledger import answer_arrays as module
from churn.ledger import predictions as predictions_module
from churn.ledger.answer_arrays import UNKNOWN
from churn.ledger.predictions import Outcome, Prediction, PredictionLedger

START, END = datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
DAYS = 90


@pytest.fixture
def ledger(tmp_path):
    with PredictionLedger(f"sqlite:///{tmp_path}/ledger.db") as opened:
        yield opened


def clock(moment):
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return moment.astimezone(tz)

    return Clock


def prediction(name, at=START, customer=None, role="production", model="telco", probability=0.5):
    return Prediction(at, name, customer, "7", role, "api", probability, True, "ab" * 16, model)


def answers(ledger, model="telco"):
    found = list(ledger.answers(model))
    return [
        (float(at), float(chance), int(churned))
        for part in found
        for at, chance, churned in zip(
            part.predicted_at, part.probability, part.churned, strict=True
        )
    ]


@pytest.mark.parametrize("at_once", [1, 7, 50_000])
def test_a_year_of_contradicting_outcomes_gives_what_reading_row_by_row_gives(
    ledger, monkeypatch, at_once
):
    generator = np.random.default_rng(at_once)
    monkeypatch.setattr(module, "_ROWS", at_once)

    def some_day():
        return START + timedelta(days=int(generator.integers(DAYS)))

    def someone():
        return None if generator.random() < 0.3 else f"C{generator.integers(15)}"

    made = [
        prediction(f"p{n % 50}", some_day(), someone(), probability=n / 100,
                   model=None if n % 3 else "telco", role="shadow" if n % 10 == 0 else "canary")
        for n in range(60)
    ]  # fmt: skip
    ledger.record(made)
    for month in (9, 8, 11):  # a clock that went back
        monkeypatch.setattr(
            predictions_module, "datetime", clock(datetime(2026, month, 3, tzinfo=UTC))
        )
        ledger.record_outcomes(
            [
                Outcome(some_day(), bool(generator.integers(2)), f"p{generator.integers(50)}" if generator.random() < 0.3 else None, someone())
                for _ in range(25)
            ]
        )  # fmt: skip

    expected = [
        (one.predicted_at.timestamp(), one.probability, UNKNOWN if outcome is None else outcome.churned)
        for one, outcome in ledger.predictions_with_outcomes(START, END)
        if one.role != "shadow"
    ]  # fmt: skip

    assert answers(ledger) == expected
    assert {churned for _, _, churned in expected} == {UNKNOWN, 0, 1}


def test_answers_of_another_model_and_of_shadows_are_left_out(ledger):
    ledger.record(
        [prediction("a", probability=0.1), prediction("b", model="other"),
         prediction("c", role="shadow"), prediction("d", model=None, probability=0.2)]
    )  # fmt: skip

    assert [chance for _, chance, _ in answers(ledger)] == [0.1, 0.2]
    assert [chance for _, chance, _ in answers(ledger, "other")] == [0.5, 0.2]


def test_a_ledger_without_predictions_or_outcomes_has_none(ledger):
    assert answers(ledger) == []

    ledger.record([prediction("a", START, None)])

    assert answers(ledger) == [(START.timestamp(), 0.5, UNKNOWN)]


def test_a_moment_counts_to_the_microsecond(ledger):
    ledger.record([prediction("a", START + timedelta(microseconds=1), "C1")])
    ledger.record_outcomes([Outcome(START, True, None, "C1")])
    assert answers(ledger)[0][2] == UNKNOWN

    ledger.record_outcomes([Outcome(START + timedelta(microseconds=1), True, None, "C1")])

    assert answers(ledger)[0][2] == 1
