"""Rules that tie one category to another: 'No phone service' exactly where PhoneService is 'No'.

Great Expectations' own expectation for pairs walks a table row by row in Python and costs seconds
at a few thousand rows. A computed column of pairs costs milliseconds, and its failing values read
as words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from churn.contract import DataContract, DateColumn, IdColumn, ImplicationRule, NumberColumn
from churn.data.quality.rule import Rule, critical, rows_in_words
from churn.errors import InputError


@dataclass(frozen=True)
class Implication:
    """An implication with the categories of both its columns."""

    rule: ImplicationRule
    categories: tuple[str, ...]
    follows_categories: tuple[str, ...]

    @property
    def name(self) -> str:
        """The rule's name, and its computed column's."""
        return f"{self.rule.column} follows {self.rule.follows_column}"

    @property
    def columns(self) -> tuple[str, str]:
        """The columns that take part."""
        return (self.rule.column, self.rule.follows_column)

    def label(self, value: str, follows_value: str) -> str:
        """A pair of values in words."""
        return f"{value!r} with {self.rule.follows_column} {follows_value!r}"

    @property
    def allowed(self) -> list[str]:
        """The pairs where both sides hold, or neither does."""
        rule = self.rule
        return [
            self.label(value, other)
            for value in self.categories
            for other in self.follows_categories
            if (value == rule.value) == (other == rule.follows_value)
        ]

    def pairs(self, frame: pd.DataFrame) -> pd.Series[Any]:
        """Each row's pair in words, object[n]; None where either is blank or unknown."""
        left = pd.Categorical(frame[self.rule.column], categories=list(self.categories))
        right = pd.Categorical(
            frame[self.rule.follows_column], categories=list(self.follows_categories)
        )
        words = np.array(
            [[self.label(a, b) for b in self.follows_categories] for a in self.categories],
            dtype=object,
        )
        found = words[left.codes, right.codes]
        found[(left.codes < 0) | (right.codes < 0)] = None
        return pd.Series(found, dtype=object)


def find_implications(contract: DataContract) -> Iterator[Implication]:
    """The contract's implications, with the categories of their columns.

    Raises:
        InputError: one names a column without categories, or a category that is not the column's.
    """
    for rule in contract.expectations.implications:
        sides: list[tuple[str, ...]] = []
        for name, value in ((rule.column, rule.value), (rule.follows_column, rule.follows_value)):
            column = contract.column(name)
            if isinstance(column, DateColumn | IdColumn | NumberColumn):
                raise InputError(
                    f"Contract '{contract.name}' has an implication on column '{name}', which is "
                    f"of kind {column.kind}; only columns with categories can take part."
                )
            if value not in column.categories:
                raise InputError(
                    f"Contract '{contract.name}' has an implication on column '{name}' being "
                    f"{value!r}, which is not among {', '.join(column.categories)}."
                )
            sides.append(column.categories)
        yield Implication(rule, *sides)


def implications_left_out(contract: DataContract) -> tuple[str, ...]:
    """A sentence where the contract ties no columns to each other."""
    if contract.expectations.implications:
        return ()
    return (f"No categories were compared: contract '{contract.name}' sets no implications.",)


def implication_rule(contract: DataContract, implication: Implication) -> Rule:
    """Both sides hold, or neither does."""
    rule = implication.rule
    limit = f"{rule.value!r} exactly where {rule.follows_column} is {rule.follows_value!r}"
    return Rule(
        name=implication.name,
        topic="relations",
        batch="relations",
        columns=(rule.column, rule.follows_column),
        expectations=critical(
            "ExpectColumnValuesToBeInSet",
            limit,
            column=implication.name,
            value_set=implication.allowed,
        ),
        success=lambda _: f"{rule.column} is {limit}.",
        failure=lambda result: (
            f"{' and '.join(dict.fromkeys(map(str, result.examples)))}, but {rule.column} must be "
            f"{limit}"
        ),
        observed=lambda result: (
            f"{rows_in_words(result.count)} in contradiction"
            if result.count
            else "no contradiction"
        ),
        way_out=f"Fix the file, or drop the implication from contract '{contract.name}'.",
    )
