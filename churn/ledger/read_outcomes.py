"""Settled outcomes of a model's version, read from the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from churn.ledger.prediction import Prediction
from churn.ledger.predictions import PredictionLedger
from churn.ledger.settled_outcomes import OutcomeTiming, SettledOutcomes, settle

_PAGE = 10_000
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def read_settled(
    ledger: PredictionLedger,
    since: datetime,
    until: datetime,
    *,
    now: datetime,
    timing: OutcomeTiming,
    model: str = "",
    version: str = "",
) -> SettledOutcomes:
    """Settles the predictions of a time.

    All predictions of the ledger pass by, to tell which outcomes are unknown, but only those of the
    time and those that have an outcome are kept in memory.

    Args:
        ledger: that has predictions, outcomes and treatments.
        since: first moment of the predictions that are measured.
        until: the first moment that no longer counts.
        now: what is later is an error of a clock.
        timing: horizon and delay.
        model: whose predictions are measured; empty for all. Rows of release 0.1.0 name no model
            and count as its own.
        version: of the model; empty for all.
    """
    outcomes = list(_all(ledger.outcomes))
    ids = {each.prediction_id for each in outcomes} - {None}
    customers = {each.customer for each in outcomes} - {None}

    def ours(one: Prediction) -> bool:
        is_model = not model or one.model is None or one.model == model
        return is_model and (not version or one.version == version)

    predictions = [
        one
        for one in ledger.predictions_between(_FIRST, _LAST)
        if (since <= one.predicted_at < until and ours(one))
        or one.prediction_id in ids
        or one.customer in customers
    ]
    return settle(
        predictions,
        outcomes,
        since=since,
        until=until,
        now=now,
        timing=timing,
        treatments=_all(ledger.treatments),
        ours=ours,
    )


def _all(page: Callable[..., list[Any]]) -> Iterator[Any]:
    after = 0
    while read := page(after=after, limit=_PAGE):
        yield from read
        after += len(read)
