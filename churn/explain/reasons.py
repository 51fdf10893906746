"""Reason codes: for each customer the few columns that move the risk, as sentences to read out.

Order: what raises the risk and can be acted on, then what else raises it, then what lowers it; the
larger first. One piece of code serves a customer alone and a million, so both get the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.contract import CodedColumn, DataContract, NumberColumn
from churn.errors import InputError
from churn.explain.grouping import Contributions, Grouping
from churn.explain.wording import (
    WEAKEST,
    Direction,
    Strength,
    direction,
    may_be_spoken_of,
    phrases,
    strength,
    tails,
)
from churn.features.encoding import Columns
from churn.frozen_model import FrozenModel
from churn.models.candidate import FittedModel, Floats

TOP = 3


class Reason(FrozenModel):
    """One reason behind one customer's score.

    Attributes:
        column: of the table.
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


@dataclass(frozen=True)
class ReasonTable:
    """The reasons of n customers, strongest call to action first.

    Attributes:
        columns: the table's columns that reasons may be about.
        actionable: bool[columns], which of them the business can act on.
        places: int16[n, top], each reason's place among `columns`; -1 where there is none.
        contributions: float64[n, top], log-odds; 0 where there is none.
        sentences: object[n, top], texts; empty where there is none.
        withheld: float64[n], log-odds of the columns that are never given as a reason.
    """

    columns: tuple[str, ...]
    actionable: NDArray[np.bool_]
    places: NDArray[np.int16]
    contributions: Floats
    sentences: NDArray[Any]
    withheld: Floats

    def __len__(self) -> int:
        return len(self.places)

    def of(self, row: int) -> tuple[Reason, ...]:
        """One customer's reasons, at most `top` of them."""
        return tuple(
            Reason(
                column=self.columns[place],
                sentence=str(sentence),
                direction=direction(contribution),
                strength=strength(contribution),
                actionable=bool(self.actionable[place]),
                contribution=float(contribution),
                odds_ratio=float(np.exp(contribution)),
            )
            for place, contribution, sentence in zip(
                self.places[row], self.contributions[row], self.sentences[row], strict=True
            )
            if place >= 0
        )


@dataclass(frozen=True)
class ReasonCodes:
    """A model's reasons under a contract, made ready once and asked many times.

    Attributes:
        model: whose reasons.
        grouping: from its features to the table's columns.
        columns: those columns, as the contract describes them.
    """

    model: FittedModel
    grouping: Grouping
    columns: tuple[CodedColumn | NumberColumn, ...]

    @classmethod
    def of(cls, model: FittedModel, contract: DataContract) -> ReasonCodes:
        """A model's reasons under the contract it was trained with.

        Raises:
            InputError: the model has a feature that the contract does not know.
        """
        grouping = Grouping.of(model.features, contract)
        described = {column.name: column for column in contract.features}
        return cls(model, grouping, tuple(described[name] for name in grouping.columns))

    def __call__(self, columns: Columns, *, top: int = TOP) -> ReasonTable:
        """The reasons of n customers.

        Raises:
            InputError: `top` is less than 1, or a column is missing or cannot be scored.
        """
        parts = self.grouping(self.model.contributions(columns))
        return self.told(Contributions(self.model.base, self.grouping.columns, parts), columns, top)

    def told(self, parts: Contributions, columns: Columns, top: int = TOP) -> ReasonTable:
        """The reasons in contributions that are known already.

        Args:
            parts: this model's contributions to the customers' scores, by column.
            columns: the customers.
            top: how many reasons at most.

        Raises:
            InputError: `top` is less than 1.
        """
        if top < 1:
            raise InputError(f"Asked for {top} reasons a customer; ask for 1 or more.")
        spoken = np.array([may_be_spoken_of(column) for column in self.columns])
        actionable = np.array([column.actionable for column in self.columns])
        size = np.abs(parts.values)
        raises = parts.values > 0
        order = np.lexsort((-size, ~(raises & actionable), ~raises, ~((size >= WEAKEST) & spoken)))
        places = order[:, :top].astype(np.int16)
        contributions = np.take_along_axis(parts.values, order[:, :top], axis=1)
        empty = ~(spoken[places] & (np.abs(contributions) >= WEAKEST))
        places[empty], contributions[empty] = -1, 0.0
        withheld = np.zeros(len(places))
        for place in np.flatnonzero(~spoken):
            withheld += parts.values[:, place]
        return ReasonTable(
            columns=self.grouping.columns,
            actionable=actionable,
            places=places,
            contributions=contributions,
            sentences=self._sentences(places, contributions, columns),
            withheld=withheld,
        )

    def _sentences(
        self, places: NDArray[np.int16], contributions: Floats, columns: Columns
    ) -> NDArray[Any]:
        sentences = np.full(places.shape, "", dtype=object)
        for place, column in enumerate(self.columns):
            rows, slots = np.nonzero(places == place)
            if len(rows):
                begins = phrases(column, columns[column.name][rows])
                sentences[rows, slots] = begins + tails(contributions[rows, slots])
        return sentences


def reasons(
    model: FittedModel, columns: Columns, contract: DataContract, *, top: int = TOP
) -> ReasonTable:
    """The reasons behind n customers' scores.

    Args:
        model: the model.
        columns: encoded columns of the customers; one row or many give the same answers.
        contract: the contract they were encoded by.
        top: how many reasons at most.

    Raises:
        InputError: `top` is less than 1, a column is missing or cannot be scored, or the model has
            a feature that the contract does not know.
    """
    return ReasonCodes.of(model, contract)(columns, top=top)


def reasons_of_one(
    model: FittedModel, customer: Columns, contract: DataContract, *, top: int = TOP
) -> tuple[Reason, ...]:
    """The reasons behind one customer's score, the same as among others.

    Args:
        model: the model.
        customer: encoded columns with a single row.
        contract: the contract it was encoded by.
        top: how many reasons at most.

    Raises:
        InputError: as `reasons`, or the columns do not hold exactly one row.
    """
    require_one(customer)
    return reasons(model, customer, contract, top=top).of(0)


def require_one(customer: Columns) -> None:
    """Refuses anything but a single customer.

    Raises:
        InputError: the columns hold no row, or several.
    """
    for name, values in customer.items():
        if len(values) != 1:
            raise InputError(
                f"Column '{name}' holds {len(values)} rows where one customer was asked about; "
                "hand over a single row."
            )
