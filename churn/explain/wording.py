"""Words for reasons: what a column's value says of a customer, its direction and its strength.

Thresholds are in log-odds. At 0.05 the odds of leaving move by 5%, at 0.2 by 22%, at 0.5 by 65%;
less than the first is not worth a customer's time and is no reason.
"""

from __future__ import annotations

from typing import Literal

from churn.contract import CodedColumn, NumberColumn, Role

Strength = Literal["slight", "clear", "strong"]
Direction = Literal["raises", "lowers"]

WEAKEST = 0.05
CLEAR = 0.2
STRONG = 0.5

UNSPOKEN = frozenset({Role.SENSITIVE, Role.HOUSEHOLD})
"""Columns of these roles are never given as a reason: they say who somebody is."""

_TAILS: dict[tuple[Direction, Strength], str] = {
    ("raises", "slight"): ": customers like this leave a little more often.",
    ("raises", "clear"): ": customers like this leave more often.",
    ("raises", "strong"): ": customers like this leave much more often.",
    ("lowers", "slight"): ": customers like this leave a little less often.",
    ("lowers", "clear"): ": customers like this leave less often.",
    ("lowers", "strong"): ": customers like this leave much less often.",
}


def may_be_reason(column: CodedColumn | NumberColumn) -> bool:
    """Whether a column may be given as a reason at all."""
    return not UNSPOKEN.intersection(column.roles)


def direction(contribution: float) -> Direction:
    """Which way a contribution moves the risk."""
    return "raises" if contribution > 0 else "lowers"


def strength(contribution: float) -> Strength:
    """How far a contribution moves the risk, by the thresholds above."""
    size = abs(contribution)
    return "strong" if size >= STRONG else "clear" if size >= CLEAR else "slight"


def tail(contribution: float) -> str:
    """How a sentence on a contribution ends."""
    return _TAILS[direction(contribution), strength(contribution)]


def category_phrases(column: CodedColumn) -> tuple[str, ...]:
    """How a sentence on each category of a column begins."""
    return column.phrases or tuple(f"{column.name} is {value}" for value in column.categories)


def number_phrase(column: NumberColumn, value: float) -> str:
    """How a sentence on a number begins."""
    phrase = column.phrase or f"{column.name} of {{value}} {column.unit}"
    return phrase.replace("{value}", number_in_words(column, value))


def number_in_words(column: NumberColumn, value: float) -> str:
    """A column's number as a sentence shows it, without its unit."""
    return f"{value:,.0f}" if column.integer else f"{value:,.2f}"
