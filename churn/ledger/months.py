"""Months in UTC, each as its first day."""

from __future__ import annotations

from datetime import UTC, date, datetime

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
