"""Months in UTC, each as its first day, and predictions one month after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import groupby

from churn.ledger.prediction import Prediction

_MONTHS_IN_A_YEAR = 12


def month_of(moment: datetime) -> date:
    """Returns the first day of a moment's month in UTC."""
    return moment.astimezone(UTC).date().replace(day=1)


def add_months(month: date, count: int) -> date:
    """Returns the month that is `count` months later; earlier if `count` is negative."""
    year, place = divmod(
        month.year * _MONTHS_IN_A_YEAR + month.month - 1 + count, _MONTHS_IN_A_YEAR
    )
    return date(year, place + 1, 1)


def oldest_kept(now: datetime, keep: int) -> date:
    """Returns the oldest of the `keep` months that end with the current one; `date.min` for 0, all."""
    return add_months(month_of(now), 1 - keep) if keep else date.min


def by_month(predictions: Sequence[Prediction]) -> Iterator[tuple[date, Sequence[Prediction]]]:
    """Yields the predictions in their order, cut wherever the month changes, each part with its month.

    A ledger keeps each part in one transaction.
    """
    if not predictions:
        return
    moments = [one.predicted_at for one in predictions]
    first = month_of(min(moments))
    if first == month_of(max(moments)):
        yield first, predictions
        return
    for month, part in groupby(predictions, lambda one: month_of(one.predicted_at)):
        yield month, list(part)
