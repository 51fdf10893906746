"""Which predictions can be measured: what is late, missing, twice, contradicting or out of time is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from churn.ledger.matched_treatments import CLOCKS_DIFFER
from churn.ledger.predictions import Outcome, Prediction, PredictionLedger, TreatmentRecord
from churn.ledger.read_outcomes import read_settled
from churn.ledger.settled_outcomes import OutcomeTiming, settle

MADE = datetime(2026, 9, 1, 9, 30, tzinfo=UTC)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TIMING = OutcomeTiming(horizon_days=30, delay_days=7)


def prediction(name="a", at=MADE, customer=None, role="production"):
    return Prediction(at, name, customer, "7", role, "api", 0.5, True, "ab" * 16)


def outcome(churned, *, after=30 * DAY, prediction_id="a", customer=None):
    return Outcome(MADE + after, churned, prediction_id, customer)


def settled(outcomes, predictions=None, now=NOW, since=MADE - DAY, until=NOW + 99 * DAY):
    read = predictions or [prediction()]
    return settle(read, outcomes, since=since, until=until, now=now, timing=TIMING)


def counted(found):
    return {name: count for name, count in found.counts.model_dump().items() if count}


@pytest.mark.parametrize(
    ("churned", "after", "label"),
    [
        (True, 0 * DAY, 1),
        (True, 30 * DAY, 1),
        (True, 31 * DAY, 0),  # left, but not within the horizon
        (False, 30 * DAY, 0),
        (False, timedelta(days=30, hours=-9), 0),  # known by the day, whatever the hour
        (False, 45 * DAY, 0),
    ],
)
def test_who_left_within_the_horizon(churned, after, label):
    found = settled([outcome(churned, after=after)])

    assert found.target.tolist() == [label]
    assert counted(found) == {"predictions": 1, "measured": 1}
    assert found.counts.sentences == ()


def test_a_customer_last_seen_before_the_horizon_is_censored():
    found = settled([outcome(False, after=29 * DAY)])

    assert counted(found) == {"predictions": 1, "censored": 1}
    assert len(found.target) == 0
    assert "left out" in found.counts.sentences[0]


@pytest.mark.parametrize(("days", "state"), [(36, "not_due"), (37, "measured")])
def test_nobody_is_measured_before_horizon_and_delay_have_passed(days, state):
    found = settled([outcome(True, after=DAY)], now=MADE + days * DAY)

    assert counted(found) == {"predictions": 1, state: 1}


def test_a_due_prediction_without_outcome_is_counted():
    assert counted(settled([])) == {"predictions": 1, "without_outcome": 1}


def test_outcomes_of_unknown_predictions_and_customers_are_counted():
    found = settled(
        [
            outcome(True, prediction_id="nobody"),
            outcome(True, prediction_id=None, customer="nobody"),
            outcome(True, prediction_id="nobody", customer="C1"),
        ],
        [prediction(customer="C1")],
    )

    assert counted(found) == {"predictions": 1, "without_outcome": 1, "unknown": 3}
    assert found.counts.sentences[-1] == ("Outcomes of no prediction in the ledger, left out: 3.")


@pytest.mark.parametrize(
    ("early", "state"),
    [(CLOCKS_DIFFER, "clock_skew"), (CLOCKS_DIFFER + timedelta(seconds=1), "before_prediction")],
)
def test_an_outcome_before_its_prediction(early, state):
    found = settled([outcome(True, after=-early)])

    measured = "measured" if state == "clock_skew" else "without_outcome"
    assert counted(found) == {"predictions": 1, measured: 1, state: 1}


def test_the_same_outcome_twice_counts_once():
    found = settled([outcome(True), outcome(True)])

    assert found.target.tolist() == [1]
    assert counted(found) == {"predictions": 1, "measured": 1, "repeated": 1}


@pytest.mark.parametrize("last", [True, False])
def test_of_contradicting_outcomes_the_last_recorded_counts(last):
    found = settled([outcome(not last), outcome(last)])

    assert found.target.tolist() == [int(last)]
    assert counted(found) == {"predictions": 1, "measured": 1, "contradicting": 1}


def test_a_customer_who_is_still_there_and_then_leaves_is_no_contradiction():
    found = settled([outcome(False, after=10 * DAY), outcome(True, after=20 * DAY)])

    assert found.target.tolist() == [1]
    assert counted(found) == {"predictions": 1, "measured": 1}


def test_a_clock_that_runs_ahead_is_counted():
    late = NOW + CLOCKS_DIFFER + timedelta(seconds=1)
    found = settled(
        [Outcome(late, True, "a"), Outcome(NOW + CLOCKS_DIFFER, False, "a")],
        [prediction(), prediction("b", at=late)],
    )

    assert found.target.tolist() == [0]
    assert counted(found) == {
        "predictions": 2, "measured": 1, "outcomes_from_future": 1, "predictions_from_future": 1,
    }  # fmt: skip


def test_a_customers_outcome_counts_for_the_predictions_before_it():
    found = settled(
        [outcome(True, after=40 * DAY, prediction_id=None, customer="C1")],
        [prediction("a", customer="C1"), prediction("b", MADE + 15 * DAY, "C1"),
         prediction("c", MADE + 50 * DAY, "C1")],
    )  # fmt: skip

    assert [one.prediction_id for one in found.predictions] == ["a", "b"]
    assert found.target.tolist() == [0, 1]  # within 30 days of the second alone


def test_an_outcome_that_names_the_prediction_comes_before_the_customers():
    found = settled(
        [outcome(False), outcome(True, prediction_id=None, customer="C1")],
        [prediction(customer="C1")],
    )

    assert found.target.tolist() == [0]


def test_a_shadow_has_the_outcome_of_the_answer_beside_it():
    found = settled([outcome(True)], [prediction(), prediction(role="shadow")])

    assert found.target.tolist() == [1, 1]


def test_only_the_windows_predictions_are_measured_but_the_others_are_known():
    found = settled(
        [outcome(True, prediction_id="a"), outcome(True, prediction_id="old")],
        [prediction("old", MADE - 5 * DAY), prediction()],
        until=MADE + DAY,
    )

    assert counted(found) == {"predictions": 1, "measured": 1}
    assert counted(settled([outcome(True)], until=MADE)) == {}


def test_the_ledgers_months_are_read(tmp_path):
    with PredictionLedger(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        ledger.record([prediction("a"), prediction("b", MADE + 40 * DAY), prediction("c")])
        ledger.record_outcomes([outcome(True), outcome(True, prediction_id="nobody")])

        found = read_settled(ledger, MADE, MADE + DAY, now=NOW, timing=TIMING)

    assert counted(found) == {"predictions": 2, "measured": 1, "without_outcome": 1, "unknown": 1}
    assert found.predictions == (prediction("a"),)


def treatment(treated=True, *, after=1 * DAY, prediction_id=None, customer=None):
    return TreatmentRecord(MADE + after, treated, prediction_id, customer)


@pytest.mark.parametrize(
    ("records", "treated", "holdout"),
    [
        ([], False, False),
        ([treatment(prediction_id="a")], True, False),
        ([treatment(prediction_id="b", customer="C1")], False, False),  # another prediction's
        ([treatment(customer="C1")], True, False),
        ([treatment(False, customer="C1")], False, True),
        ([treatment(False, customer="C1"), treatment(customer="C1")], True, False),
        ([treatment(customer="C1", after=30 * DAY)], True, False),
        ([treatment(customer="C1", after=30 * DAY + CLOCKS_DIFFER)], False, False),
        ([treatment(customer="C1", after=-CLOCKS_DIFFER)], True, False),
        ([treatment(customer="C1", after=-2 * CLOCKS_DIFFER)], False, False),
        ([treatment(customer="C2")], False, False),
    ],
)
def test_who_was_treated_within_the_horizon(records, treated, holdout):
    found = settle(
        [prediction(customer="C1")],
        [outcome(False)],
        since=MADE,
        until=NOW,
        now=NOW,
        timing=TIMING,
        treatments=records,
    )

    assert (found.treated.tolist(), found.holdout.tolist()) == ([treated], [holdout])


def test_of_a_customer_scored_every_week_the_first_prediction_is_kept():
    weeks = [prediction(f"w{n}", MADE + n * 7 * DAY, "C1") for n in (1, 0)]
    strangers = [prediction("x"), prediction("y")]
    outcomes = [
        outcome(True, prediction_id=name, after=20 * DAY) for name in ("w0", "w1", "x", "y")
    ]

    found = settled(outcomes, [*weeks, *strangers]).first_of_each_customer()

    assert [one.prediction_id for one in found.predictions] == ["w0", "x", "y"]
    assert len(found.target) == len(found.treated) == 3


def test_only_the_version_of_the_model_is_measured(tmp_path):
    names = {"a": "churn", "b": "other", "c": None}
    with PredictionLedger(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        ledger.record([prediction(name)._replace(model=model) for name, model in names.items()])
        ledger.record([prediction("d")._replace(model="churn", version="8")])
        ledger.record_outcomes([outcome(True, prediction_id=name) for name in "abcd"])
        ledger.record_treatments([treatment(prediction_id="c")])

        found = read_settled(
            ledger, MADE, MADE + DAY, now=NOW, timing=TIMING, model="churn", version="7"
        )

    assert [one.prediction_id for one in found.predictions] == ["a", "c"]
    assert counted(found) == {"predictions": 2, "measured": 2}  # b and d are known, not unknown
    assert found.treated.tolist() == [False, True]
