"""Answers as arrays have the outcomes that they have one by one."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from churn.ledger import answer_arrays as module
from churn.ledger import predictions as predictions_module
from churn.ledger.answer_arrays import UNKNOWN
from churn.ledger.predictions import Outcome, Prediction, PredictionLedger, TreatmentRecord
from churn.ledger.settled_outcomes import OutcomeTiming, settle

START, END = datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
DAYS = 90
TIMING = OutcomeTiming(horizon_days=30, delay_days=7)
AT_ONCE = OutcomeTiming(horizon_days=0)


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


def answers(ledger, model="telco", timing=AT_ONCE, now=END):
    return [
        (float(at), float(chance), int(churned), bool(treated))
        for part in ledger.answers(model, timing, now)
        for at, chance, churned, treated in zip(
            part.predicted_at, part.probability, part.churned, part.treated, strict=True
        )
    ]


def settled_alone(one, everything, outcomes, treatments):
    """What is said of one prediction where nothing else is measured."""
    found = settle(
        everything, outcomes, since=START, until=END, now=END, timing=TIMING,
        treatments=treatments, ours=lambda each: each is one,
    )  # fmt: skip
    if not found.predictions:
        return UNKNOWN, None
    return int(found.target[0]), bool(found.treated[0])


@pytest.mark.parametrize("at_once", [1, 7, 50_000])
def test_a_year_of_contradicting_records_gives_what_settling_one_by_one_gives(
    ledger, monkeypatch, at_once
):
    generator = np.random.default_rng(at_once)
    monkeypatch.setattr(module, "_ROWS", at_once)

    def some_time():
        return START + timedelta(
            days=int(generator.integers(DAYS)), hours=int(generator.integers(24))
        )

    def someone():
        return None if generator.random() < 0.3 else f"C{generator.integers(15)}"

    def someone_or_a_prediction():
        name = f"p{generator.integers(50)}" if generator.random() < 0.3 else None
        return {"prediction_id": name, "customer": someone() or (None if name else "C1")}

    made = [
        prediction(f"p{n % 50}", some_time(), someone(), probability=n / 100,
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
                Outcome(some_time() + timedelta(20), bool(generator.integers(2)), **someone_or_a_prediction())
                for _ in range(25)
            ]
        )  # fmt: skip
        ledger.record_treatments(
            [
                TreatmentRecord(some_time(), bool(generator.integers(2)), **someone_or_a_prediction())
                for _ in range(5)
            ]
        )  # fmt: skip

    stored = [one for one in ledger.predictions_between(START, END) if one.role != "shadow"]
    everything = list(ledger.predictions_between(START, END))
    outcomes, treatments = ledger.outcomes(), ledger.treatments()
    expected = [
        settled_alone(everything[everything.index(one)], everything, outcomes, treatments)
        for one in stored
    ]
    found = answers(ledger, timing=TIMING)

    assert [each[:2] for each in found] == [
        (one.predicted_at.timestamp(), one.probability) for one in stored
    ]
    assert [churned for _, _, churned, _ in found] == [churned for churned, _ in expected]
    for (_, _, _, treated), (_, said) in zip(found, expected, strict=True):
        assert said in (None, treated)
    assert {churned for churned, _ in expected} == {UNKNOWN, 0, 1}
    assert {treated for _, treated in expected} == {None, False, True}


@pytest.mark.parametrize(("days", "churned"), [(36, UNKNOWN), (37, 1)])
def test_an_outcome_counts_once_horizon_and_delay_have_passed(ledger, days, churned):
    ledger.record([prediction("a")])
    ledger.record_outcomes([Outcome(START + timedelta(1), True, "a")])

    assert answers(ledger, timing=TIMING, now=START + timedelta(days))[0][2] == churned


@pytest.mark.parametrize(
    ("left", "days", "churned"),
    [(True, 30, 1), (True, 31, 0), (False, 29, UNKNOWN), (False, 30, 0)],
)
def test_who_left_within_the_horizon_left_and_who_was_seen_after_it_stayed(
    ledger, left, days, churned
):
    ledger.record([prediction("a")])
    ledger.record_outcomes([Outcome(START + timedelta(days), left, "a")])

    assert answers(ledger, timing=TIMING)[0][2] == churned


def test_an_outcome_of_the_future_does_not_count(ledger):
    ledger.record([prediction("a")])
    ledger.record_outcomes([Outcome(END + timedelta(minutes=6), True, "a")])

    assert answers(ledger)[0][2] == UNKNOWN


def test_answers_of_another_model_and_of_shadows_are_left_out(ledger):
    ledger.record(
        [prediction("a", probability=0.1), prediction("b", model="other"),
         prediction("c", role="shadow"), prediction("d", model=None, probability=0.2)]
    )  # fmt: skip

    assert [chance for _, chance, *_ in answers(ledger)] == [0.1, 0.2]
    assert [chance for _, chance, *_ in answers(ledger, "other")] == [0.5, 0.2]


def test_a_ledger_without_predictions_or_outcomes_has_none(ledger):
    assert answers(ledger) == []

    ledger.record([prediction("a", START, None)])

    assert answers(ledger) == [(START.timestamp(), 0.5, UNKNOWN, False)]


def test_clocks_may_differ_by_five_minutes(ledger):
    ledger.record([prediction("a", START + timedelta(minutes=5, microseconds=1), "C1")])
    ledger.record_outcomes([Outcome(START, True, None, "C1")])
    assert answers(ledger)[0][2] == UNKNOWN

    ledger.record_outcomes([Outcome(START + timedelta(microseconds=1), True, None, "C1")])

    assert answers(ledger)[0][2] == 1
