"""Outcomes are found by customer, whatever they were recorded for."""

from __future__ import annotations

from datetime import UTC, datetime

from churn.ledger.customer_outcomes import customer_outcomes
from churn.ledger.predictions import Outcome, Prediction, PredictionLedger

AT = datetime(2026, 11, 1, tzinfo=UTC)


def prediction(name, customer):
    return Prediction(
        predicted_at=AT, prediction_id=name, customer=customer, version="1", role="production",
        source="batch", probability=0.5, decision=True, input_hash="0" * 32,
    )  # fmt: skip


def test_an_outcome_of_a_prediction_is_that_of_its_customer(tmp_path):
    with PredictionLedger(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        ledger.record([prediction("p1", "ann"), prediction("p2", None), prediction("p3", "bob")])
        ledger.record_outcomes(
            [
                Outcome(AT, churned=True, prediction_id="p1"),
                Outcome(AT, churned=True, prediction_id="p2"),  # a prediction of nobody known
                Outcome(AT, churned=True, prediction_id="lost"),
                Outcome(AT, churned=False, prediction_id="p3", customer="bea"),
                Outcome(AT, churned=False, customer="cid"),
            ]
        )

        found = customer_outcomes(ledger)

    assert [(each.customer, each.churned) for each in found] == [
        ("ann", True),
        ("bea", False),
        ("cid", False),
    ]
    assert all(each.prediction_id is None for each in found)


def test_a_ledger_without_outcomes_has_none(tmp_path):
    with PredictionLedger(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        ledger.record([prediction("p1", "ann")])
        assert customer_outcomes(ledger) == []
