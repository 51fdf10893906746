"""Outcomes by customer, also those that were recorded for a prediction."""

from __future__ import annotations

from dataclasses import replace

from churn.ledger.prediction import Outcome
from churn.ledger.predictions import PredictionLedger

_PAGE = 10_000


def customer_outcomes(ledger: PredictionLedger) -> list[Outcome]:
    """The outcomes whose customer is known, in the order they were recorded, without their predictions."""
    found, after = [], 0
    while page := ledger.outcomes(after=after, limit=_PAGE):
        found += page
        after += len(page)
    nameless = {each.prediction_id for each in found if each.customer is None}
    customers: dict[str | None, str | None] = {}
    after = 0
    while nameless and (predictions := ledger.predictions(after=after, limit=_PAGE)):
        customers |= {
            each.prediction_id: each.customer
            for each in predictions
            if each.prediction_id in nameless
        }
        after += len(predictions)
    named = (
        replace(
            each, customer=each.customer or customers.get(each.prediction_id), prediction_id=None
        )
        for each in found
        if each.customer or customers.get(each.prediction_id)
    )
    return list(named)
