"""A column formula: stateless, written for roles of the contract, never for column names.

A formula is written once and bound to a contract's columns once; the bound formula computes the
same value for a customer alone and among ten million, because it only ever looks along rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from churn.contract import CategoryColumn, DataContract, NumberColumn, Role
from churn.errors import InputError
from churn.features.encoding import Columns, Floats
from churn.features.groups import FeatureGroup

Read = Literal["number", "months_so_far", "count", "months"]
"""How a role is read: a number, a number of months, how many such things there are, a term's months."""

_EXPECTED: dict[Read, str] = {
    "number": "exactly one number column",
    "months_so_far": "exactly one number column in months",
    "count": "a category or flag column that says what counts as yes",
    "months": "exactly one category column that gives months",
}


@dataclass(frozen=True)
class Source:
    """One column of a contract as a formula reads it.

    Attributes:
        column: its name.
        values: the number of each category code (0 or 1 for yes, or months); empty for a number.
    """

    column: str
    values: tuple[float, ...] = ()

    def read(self, columns: Columns) -> Floats:
        """The column as float64[n].

        Raises:
            InputError: the column is missing, or a code is not one of the contract's.
        """
        if self.column not in columns:
            raise InputError(
                f"Column '{self.column}' is missing; a feature formula reads it. Add it to the "
                "columns to be scored."
            )
        if not self.values:
            return np.asarray(columns[self.column], dtype=np.float64)
        return look_up(np.asarray(self.values), columns[self.column], self.column)


def look_up(table: Floats, codes: NDArray[Any], column: str) -> Floats:
    """`table[codes]`, refusing every code that is not a place in the table.

    Raises:
        InputError: a code lies outside the table; a negative one would count from its end.
    """
    small = codes
    if codes.dtype != np.int8:
        small = np.clip(codes, -1, np.iinfo(np.int8).max).astype(np.int8)
    try:
        # As unsigned bytes -1 is 255, outside every table: contracts allow 127 categories.
        found: Floats = table.take(small.view(np.uint8))
    except IndexError:
        outside = np.flatnonzero((codes < 0) | (codes >= len(table)))
        raise InputError(
            f"Column '{column}' row {outside[0] + 1}: code {codes[outside[0]]} is none of the "
            f"{len(table)} categories seen in training. Encode rows with the model's own contract."
        ) from None
    return found


@dataclass(frozen=True)
class RoleValues:
    """What a formula sees: the customers' values by role.

    Attributes:
        columns: feature columns of n rows.
        sources: which of them play which role.
    """

    columns: Columns
    sources: Mapping[Role, tuple[Source, ...]]

    def number(self, role: Role) -> Floats:
        """The one column of a role, float64[n]; a contract term in months."""
        return self.sources[role][0].read(self.columns)

    def count(self, role: Role) -> Floats:
        """How many things of a role each customer has, float64[n]."""
        first, *others = self.sources[role]
        total = first.read(self.columns).copy()
        for source in others:
            total += source.read(self.columns)
        return total


@dataclass(frozen=True)
class Formula:
    """An engineered column.

    Attributes:
        name: name of the column it makes.
        group: which group of a recipe's `features` switches it on.
        meaning: what it says about a customer.
        unit: unit of its values.
        needs: the roles it reads, and how.
        compute: the formula, float64[n] from float64[n]s; finite for finite input.
        categories: how many codes 0, 1, ... the result takes; 0 where it is a number.
        steps: where the formula is a step function of its one role: the values at which the next
            step begins. Its result is then the number of the step, 0 for the first.
    """

    name: str
    group: FeatureGroup
    meaning: str
    unit: str
    needs: Mapping[Role, Read]
    compute: Callable[[RoleValues], Floats]
    categories: int = 0
    steps: tuple[float, ...] = ()

    def bind(self, contract: DataContract) -> BoundFormula | str:
        """The formula on a contract's columns, or one sentence why it is left out."""
        sources: dict[Role, tuple[Source, ...]] = {}
        for role, read in self.needs.items():
            found = _sources(contract, role, read)
            if not found or (read != "count" and len(found) > 1):
                return (
                    f"'{self.name}' is left out: it needs {_EXPECTED[read]} with the role "
                    f"'{role}', and contract '{contract.name}' has "
                    f"{'none' if not found else len(found)}."
                )
            sources[role] = found
        return BoundFormula(formula=self, sources=sources)


@dataclass(frozen=True)
class BoundFormula:
    """A formula and the columns it reads.

    Attributes:
        formula: what is computed.
        sources: from which columns, by role.
    """

    formula: Formula
    sources: Mapping[Role, tuple[Source, ...]]

    @property
    def name(self) -> str:
        """The engineered column's name."""
        return self.formula.name

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the columns it reads, each once."""
        return tuple(dict.fromkeys(s.column for many in self.sources.values() for s in many))

    def __call__(self, columns: Columns) -> Floats:
        """The engineered column, float64[n].

        Raises:
            InputError: a column it reads is missing or holds an unknown code.
        """
        return self.formula.compute(RoleValues(columns, self.sources))


def _sources(contract: DataContract, role: Role, read: Read) -> tuple[Source, ...]:
    carriers = contract.with_role(role)
    if read in {"number", "months_so_far"}:
        numbers = [c for c in carriers if isinstance(c, NumberColumn)]
        return tuple(Source(c.name) for c in numbers if read == "number" or c.in_months)
    coded = [c for c in carriers if not isinstance(c, NumberColumn)]
    if read == "months":
        return tuple(
            Source(c.name, tuple(map(float, c.months)))
            for c in coded
            if isinstance(c, CategoryColumn) and c.months
        )
    return tuple(
        Source(c.name, tuple(float(category in c.yes) for category in c.categories))
        for c in coded
        if c.yes
    )
