"""The reasons of one customer, from the values a score was made of: no tables, the same answers.

`ReasonCodes` works on columns and costs a tenth of a millisecond before it looks at a customer. What
it looks up there is made ready here once; the sums are the same additions in the same order, so both
give the same bits and the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from churn.contract import CodedColumn, NumberColumn
from churn.errors import InputError
from churn.explain.reasons import ReasonCodes
from churn.explain.wording import (
    WEAKEST,
    direction,
    may_be_spoken_of,
    number_phrase,
    phrases,
    strength,
    tail,
)


class CustomerTold(NamedTuple):
    """One customer's reasons.

    Attributes:
        reasons: at most as many as asked for, each as `Reason.model_dump` gives it.
        withheld: log-odds of the columns that are never given as a reason.
    """

    reasons: list[dict[str, Any]]
    withheld: float


@dataclass(frozen=True, slots=True)
class _Column:
    """What is known of a column before any customer is.

    Attributes:
        name: of it.
        actionable: whether the business can act on it.
        begins: how a sentence on one of its values begins.
        place: where its value stands among a customer's.
    """

    name: str
    actionable: bool
    begins: Callable[[float], str]
    place: int


class CustomerReasons:
    """A model's reasons for customers one by one; holds nothing of any of them."""

    def __init__(self, codes: ReasonCodes, names: Sequence[str]) -> None:
        """Makes everything ready.

        Args:
            codes: the same for tables.
            names: of a customer's values, in their order.
        """
        self._columns = tuple(
            _Column(column.name, column.actionable, _beginning(column), names.index(column.name))
            for column in codes.columns
        )
        self._places = codes.grouping.places
        spoken = [may_be_spoken_of(column) for column in codes.columns]
        self._spoken = tuple(place for place, may in enumerate(spoken) if may)
        self._unspoken = tuple(place for place, may in enumerate(spoken) if not may)

    def __call__(self, values: Sequence[float], parts: Sequence[float], top: int) -> CustomerTold:
        """The reasons.

        Args:
            values: the customer's.
            parts: the model's contributions to the customer's score, by feature.
            top: how many reasons at most.

        Raises:
            InputError: `top` is less than 1.
        """
        if top < 1:
            raise InputError(f"Asked for {top} reasons a customer; ask for 1 or more.")
        grouped = [0.0] * len(self._columns)
        for part, places in zip(parts, self._places, strict=True):
            for place in places:
                grouped[place] += part / len(places)
        ranked = []
        for place in self._spoken:
            part = grouped[place]
            if part >= WEAKEST:
                ranked.append((0 if self._columns[place].actionable else 1, -part, place))
            elif part <= -WEAKEST:
                ranked.append((2, part, place))
        ranked.sort()
        withheld = 0.0
        for place in self._unspoken:
            withheld += grouped[place]
        return CustomerTold(
            [self._reason(place, grouped[place], values) for _, _, place in ranked[:top]], withheld
        )

    def _reason(self, place: int, part: float, values: Sequence[float]) -> dict[str, Any]:
        column = self._columns[place]
        return {
            "column": column.name,
            "sentence": column.begins(values[column.place]) + tail(part),
            "direction": direction(part),
            "strength": strength(part),
            "actionable": column.actionable,
            "contribution": part,
            "odds_ratio": float(np.exp(part)),
        }


def _beginning(column: CodedColumn | NumberColumn) -> Callable[[float], str]:
    if isinstance(column, NumberColumn):
        return lambda value: number_phrase(column, value)
    told = [str(text) for text in phrases(column, np.arange(len(column.categories)))]
    return lambda code: told[int(code)]
