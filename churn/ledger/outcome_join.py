"""Predictions joined with their outcomes, which may be recorded months later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import fields

from sqlalchemy import or_, select

from churn.ledger.database import DatabaseLedger
from churn.ledger.ledger_tables import OUTCOMES
from churn.ledger.prediction import Outcome, Prediction


def with_outcomes(
    predictions: Sequence[Prediction], parts: Sequence[DatabaseLedger]
) -> Iterator[tuple[Prediction, Outcome | None]]:
    """Yields each prediction with its outcome; see `PredictionLedger.predictions_with_outcomes`.

    Args:
        predictions: a few thousand.
        parts: the databases that have outcomes, oldest first.
    """
    ids = {one.prediction_id for one in predictions}
    customers = {one.customer for one in predictions if one.customer is not None}
    query = (
        select(*(OUTCOMES.c[field.name] for field in fields(Outcome)))
        .where(or_(OUTCOMES.c.prediction_id.in_(ids), OUTCOMES.c.customer.in_(customers)))
        .order_by(OUTCOMES.c.recorded_at, OUTCOMES.c.id)
    )
    by_id: dict[str, Outcome] = {}
    by_customer: defaultdict[str, list[Outcome]] = defaultdict(list)
    for part in parts:
        for outcome in (Outcome(**row) for row in part.rows(query)):
            if outcome.prediction_id is not None:
                by_id[outcome.prediction_id] = outcome
            if outcome.customer is not None:
                by_customer[outcome.customer].append(outcome)
    for one in predictions:
        found = by_id.get(one.prediction_id)
        later = by_customer.get(one.customer, []) if one.customer is not None else []
        yield (
            one,
            found
            or next(
                (each for each in reversed(later) if each.observed_at >= one.predicted_at), None
            ),
        )
