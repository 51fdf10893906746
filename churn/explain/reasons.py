"""Reason codes: for each customer the few columns that move the risk, as sentences to read out.

Order: what raises the risk and can be acted on, then what else raises it, then what lowers it; the
larger first. Customers of a table are explained one by one, by the code that explains one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from churn.contract import CodedColumn, DataContract, NumberColumn
from churn.errors import InputError
from churn.explain.grouping import Grouping
from churn.explain.wording import (
    WEAKEST,
    Direction,
    Strength,
    category_phrases,
    direction,
    may_be_reason,
    number_phrase,
    strength,
    tail,
)
from churn.features.encoding import Columns
from churn.models.candidate import FittedModel

TOP = 3


@dataclass(frozen=True)
class Reason:
    """One reason behind one customer's score.

    Attributes:
        column: column of the table.
        sentence: to be read out.
        direction: whether it raises or lowers the risk against the average customer.
        strength: how far, in words.
        actionable: whether the business can do something about it.
        contribution: how far exactly, in log-odds.
        odds_ratio: what the odds of leaving are multiplied by.
    """

    column: str
    sentence: str
    direction: Direction
    strength: Strength
    actionable: bool
    contribution: float
    odds_ratio: float


class CustomerReasons(NamedTuple):
    """One customer's reasons.

    Attributes:
        reasons: strongest call to action first.
        withheld: log-odds of the columns that are never given as a reason.
    """

    reasons: tuple[Reason, ...]
    withheld: float


@dataclass(frozen=True, slots=True)
class ReasonColumn:
    """Facts about a column, prepared once.

    Attributes:
        name: of it.
        actionable: whether the business can act on it.
        phrase: how a sentence on one of its values begins.
        place: where its value is among a customer's.
    """

    name: str
    actionable: bool
    phrase: Callable[[float], str]
    place: int


class ReasonCodes:
    """The reasons of a model under a contract, prepared once; holds nothing of any customer.

    Attributes:
        grouping: which columns of the table the model's features stand for.
        columns: those columns.
        given: places of those that may be a reason.
        withheld: places of the others.
    """

    def __init__(
        self, features: Sequence[str], contract: DataContract, names: Sequence[str] | None = None
    ) -> None:
        """Prepares the sentences.

        Args:
            features: features of the model, as its contributions are ordered.
            contract: the contract it was trained with.
            names: names of a customer's values, in their order; the contract's features by default.

        Raises:
            InputError: the model has a feature that the contract does not know.
        """
        self.grouping = Grouping.from_features(features, contract)
        described = {column.name: column for column in contract.features}
        self._names = tuple(described) if names is None else tuple(names)
        self.columns = tuple(
            ReasonColumn(
                name,
                described[name].actionable,
                _phrase(described[name]),
                self._names.index(name),
            )
            for name in self.grouping.columns
        )
        given = [may_be_reason(described[name]) for name in self.grouping.columns]
        self.given = tuple(place for place, may in enumerate(given) if may)
        self.withheld = tuple(place for place, may in enumerate(given) if not may)

    def customer(
        self, values: Sequence[float], contributions: Sequence[float], top: int = TOP
    ) -> CustomerReasons:
        """The reasons of one customer.

        Args:
            values: the customer's codes and numbers, ordered as `names`.
            contributions: the model's, to the customer's score, by feature.
            top: how many reasons at most.

        Raises:
            InputError: `top` is less than 1.
        """
        if top < 1:
            raise InputError(f"top is {top}; give 1 or more reasons a customer.")
        grouped = self.grouping.group(contributions)
        ranked = []
        for place in self.given:
            part = grouped[place]
            if part >= WEAKEST:
                ranked.append((0 if self.columns[place].actionable else 1, -part, place))
            elif part <= -WEAKEST:
                ranked.append((2, part, place))
        ranked.sort()
        withheld = 0.0
        for place in self.withheld:
            withheld += grouped[place]
        reasons = [self._reason(place, grouped[place], values) for _, _, place in ranked[:top]]
        return CustomerReasons(tuple(reasons), withheld)

    def _reason(self, place: int, part: float, values: Sequence[float]) -> Reason:
        column = self.columns[place]
        return Reason(
            column=column.name,
            sentence=column.phrase(values[column.place]) + tail(part),
            direction=direction(part),
            strength=strength(part),
            actionable=column.actionable,
            contribution=part,
            odds_ratio=float(np.exp(part)),
        )


def reason_codes(
    model: FittedModel, columns: Columns, contract: DataContract, *, top: int = TOP
) -> list[CustomerReasons]:
    """The reasons behind n customers' scores, at most `top` each.

    Raises:
        InputError: `top` is less than 1, a column is missing or cannot be scored, or the model has
            a feature that the contract does not know.

    Examples:
        >>> from pathlib import Path
        >>> from churn.contract import load_contract
        >>> from churn.data import acquire
        >>> from churn.features.encoding import encode, encode_target
        >>> from churn.models.recipe_catalog import build_candidates
        >>> from churn.models.recipe_settings import default_recipes
        >>> contract = load_contract(Path("data/contracts/telco.yaml"))
        >>> table = acquire("bundled", contract, root=Path(), cache=Path(".churn")).frame
        >>> columns = encode(table, contract)
        >>> candidate = build_candidates(["logistic"], default_recipes(), contract)["logistic"]
        >>> model = candidate.fit(columns, encode_target(table, contract))
        >>> first, *others = reason_codes(model, columns, contract, top=2)
        >>> for reason in first.reasons:
        ...     print(reason.sentence)
        Pays month to month: customers like this leave more often.
        Monthly bill of 29.85 USD: customers like this leave more often.
    """
    names = [column.name for column in contract.features]
    codes = ReasonCodes(model.features, contract, names)
    contributions = model.contributions(columns).tolist()
    values = zip(*(columns[name].tolist() for name in names), strict=True)
    return [
        codes.customer(one, parts, top) for one, parts in zip(values, contributions, strict=True)
    ]


def _phrase(column: CodedColumn | NumberColumn) -> Callable[[float], str]:
    if isinstance(column, NumberColumn):
        return lambda value: number_phrase(column, value)
    phrases = category_phrases(column)
    return lambda code: phrases[int(code)]
