"""Customers drawn column by column, each column given those before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.contract import CodedColumn, DataContract, NumberColumn, Role
from churn.data.generator.leaf_draws import CategoryDraws, Matrix, NumberDraws
from churn.data.generator.number_baselines import (
    Baseline,
    Grid,
    MonthsTimesCharge,
    find_baseline,
)
from churn.data.quality.implication_rules import find_implications
from churn.features.encoding import Columns, Floats, row_count

Known = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Tie:
    """Where another column decides this one: it has `code` exactly where that one has `other_code`."""

    code: int
    other: str
    other_code: int

    def holds(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """The customers that it decides."""
        decided: NDArray[np.bool_] = columns[self.other] == self.other_code
        return decided


@dataclass(frozen=True, eq=False)
class CategoryLink:
    """A category or flag in the chain; `draws` is None where the ties decide every customer."""

    name: str
    ties: tuple[Tie, ...]
    draws: CategoryDraws | None

    @classmethod
    def learn(
        cls, column: CodedColumn, before: tuple[str, ...], columns: Columns, contract: DataContract
    ) -> CategoryLink:
        """Learns a column given those before it."""
        ties = tuple(_ties(column, before, contract))
        free = np.ones(row_count(columns), np.bool_)
        for tie in ties:
            free &= ~tie.holds(columns)
        draws = None
        if free.any():
            codes = columns[column.name][free]
            matrix = as_matrix(columns, before)[free]
            draws = CategoryDraws.learn(matrix, codes, len(column.categories))
        return cls(column.name, ties, draws)

    def draw(self, known: Known, before: Matrix, uniform: Floats) -> NDArray[np.int8]:
        """Codes, int8[n]."""
        codes = np.zeros(len(uniform), np.int8)
        if self.draws is not None:
            codes = self.draws.draw(before, uniform)
        for tie in self.ties:
            codes[tie.holds(known)] = tie.code
        return codes


@dataclass(frozen=True, eq=False)
class NumberLink:
    """A number in the chain: its baseline, and what deviates from it.

    Attributes:
        name: the column.
        baseline: what is expected.
        draws: of what deviates; None where nothing does.
        grid: the steps it keeps to.
        lowest: the least number that is drawn.
        highest: the greatest.
        blank: what a blank means, and the column and its number that allow one; None for no blanks.
    """

    name: str
    baseline: Baseline
    draws: NumberDraws | None
    grid: Grid
    lowest: float
    highest: float
    blank: tuple[float, str, float] | None

    @classmethod
    def learn(
        cls, column: NumberColumn, before: tuple[str, ...], columns: Columns, contract: DataContract
    ) -> NumberLink:
        """Learns a column given those before it."""
        rule = column.blank
        blank = None
        rows = np.ones(row_count(columns), np.bool_)
        if rule is not None and rule.only_when in before:
            blank = (rule.value, rule.only_when, rule.equals)
            rows = columns[rule.only_when] != rule.equals
        if not rows.any():
            rows = ~rows
        filled = {name: columns[name][rows] for name in (*before, column.name)}
        values = filled[column.name].astype(np.float64)
        baseline, exact = find_baseline(column, values, before, filled, contract)
        draws = None
        if not exact:
            deviation = (values - baseline.centre(filled)) / baseline.scale(filled)
            draws = NumberDraws.learn(as_matrix(filled, before), deviation)
        lowest, highest = float(values.min()), float(values.max())
        if isinstance(baseline, MonthsTimesCharge):  # the first month's total is the bill, always
            lowest, highest = column.minimum, column.maximum
        return cls(column.name, baseline, draws, Grid.of(values), lowest, highest, blank)

    def draw(self, known: Known, before: Matrix, uniform: Floats) -> Floats:
        """Numbers, float64[n]."""
        deviation = 0.0 if self.draws is None else self.draws.draw(before, uniform)
        values = self.baseline.centre(known) + self.baseline.scale(known) * deviation
        drawn: Floats = np.clip(
            self.grid.nearest(np.broadcast_to(values, uniform.shape)), self.lowest, self.highest
        )
        if self.blank is not None:
            value, other, equals = self.blank
            drawn = np.where(known[other] == equals, value, drawn)
        return drawn


@dataclass(frozen=True, eq=False)
class ColumnChain:
    """The columns in the order they are drawn in."""

    links: tuple[CategoryLink | NumberLink, ...]

    @classmethod
    def learn(cls, columns: Columns, contract: DataContract) -> ColumnChain:
        """Learns the features of n customers, encoded as `churn.features.encoding` does."""
        links: list[CategoryLink | NumberLink] = []
        before: tuple[str, ...] = ()
        # A total follows what it is the total of, and what may be blank what allows it.
        for column in sorted(contract.features, key=_follows):
            if isinstance(column, NumberColumn):
                links.append(NumberLink.learn(column, before, columns, contract))
            else:
                links.append(CategoryLink.learn(column, before, columns, contract))
            before = (*before, column.name)
        return cls(tuple(links))

    def draw(self, uniforms: Floats) -> Known:
        """Customers by their numbers between 0 and 1, float64[columns, n].

        A customer depends on its own numbers alone.
        """
        known: Known = {}
        matrix = np.zeros((uniforms.shape[1], max(len(self.links), 1)), np.float32)
        for place, (link, uniform) in enumerate(zip(self.links, uniforms, strict=True)):
            known[link.name] = link.draw(known, matrix[:, : max(place, 1)], uniform)
            matrix[:, place] = known[link.name]
        return known


def as_matrix(columns: Columns, names: tuple[str, ...]) -> Matrix:
    """Columns side by side, float32[n, columns]; one of zeros where there are none."""
    if not names:
        return np.zeros((row_count(columns), 1), np.float32)
    return np.column_stack([columns[name].astype(np.float32) for name in names])


def _follows(column: CodedColumn | NumberColumn) -> bool:
    blank = isinstance(column, NumberColumn) and column.blank is not None
    return blank or Role.TOTAL_CHARGE in column.roles


def _ties(column: CodedColumn, before: tuple[str, ...], contract: DataContract) -> list[Tie]:
    """The contract's implications between this column and one before it; they hold both ways."""
    found: list[Tie] = []
    for each in find_implications(contract):
        rule = each.rule
        sides = (
            (rule.column, each.categories.index(rule.value)),
            (rule.follows_column, each.follows_categories.index(rule.follows_value)),
        )
        for (name, code), (other, other_code) in (sides, sides[::-1]):
            if name == column.name and other in before:
                found.append(Tie(code, other, other_code))
    return found
