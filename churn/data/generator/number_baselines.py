"""What a number is expected to be from the columns before it, where columns say it almost alone.

A bill is the sum of its services' prices, a charge its minutes times a rate, and the total of all
bills the months times the bill. What is left over is drawn from the leaves of a tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from churn.contract import CategoryColumn, DataContract, FlagColumn, NumberColumn, Role
from churn.features.encoding import Columns, Floats
from churn.models.one_thread import one_thread

_CLOSE = 0.95  # of the variance must a baseline explain
_EXACT_SHARE = 0.999
_EXACT_LEFT = 1e-3
_ROUNDED = 0.6  # of a step; half a step, and what the fit is off
_STEPS = (100.0, 50.0, 10.0, 5.0, 1.0, 0.5, 0.25, 0.1, 0.05, 0.01, 0.001)
_DECIMALS = 3
_NEAR = 1e-6


class Baseline(Protocol):
    """An expected value, and the scale of what deviates from it."""

    def centre(self, columns: Columns) -> Floats | float:
        """The expected number of each customer."""

    def scale(self, columns: Columns) -> Floats | float:
        """How far each customer's number lies from it, typically."""


@dataclass(frozen=True)
class WeightedSum:
    """A constant, a slope for each number and a weight for each category of the coded columns."""

    constant: float = 0.0
    slopes: tuple[tuple[str, float], ...] = ()
    weights: tuple[tuple[str, tuple[float, ...]], ...] = ()

    @property
    def terms(self) -> int:
        """How many columns it adds up."""
        return len(self.slopes) + len(self.weights)

    def centre(self, columns: Columns) -> Floats | float:
        """The sum; term by term, as a matrix product rounds differently with the number of rows."""
        total: Floats | float = self.constant
        for name, slope in self.slopes:
            total = total + slope * columns[name]
        for name, weights in self.weights:
            total = total + np.array(weights)[columns[name]]
        return total

    def scale(self, columns: Columns) -> float:  # noqa: ARG002
        """The same for all."""
        return 1.0


@dataclass(frozen=True)
class MonthsTimesCharge:
    """The total of all bills; it deviates as a sum of monthly changes does, with the months' root."""

    tenure: str
    monthly: str

    def centre(self, columns: Columns) -> Floats:
        """Months times the monthly charge."""
        expected: Floats = columns[self.tenure] * columns[self.monthly]
        return expected

    def scale(self, columns: Columns) -> Floats:
        """The monthly charge times the root of the months."""
        charge = np.where(columns[self.monthly] > 0, columns[self.monthly], 1.0)
        scale: Floats = charge * np.sqrt(np.maximum(columns[self.tenure], 1.0))
        return scale


@dataclass(frozen=True)
class Grid:
    """The steps that a column's numbers keep to, such as 0.05; 0 for none."""

    step: float

    @classmethod
    def of(cls, values: Floats) -> Grid:
        """The widest step that every number is a multiple of."""
        for step in _STEPS:
            if np.all(np.abs(values / step - np.round(values / step)) < _NEAR):
                return cls(step)
        return cls(0.0)

    def nearest(self, values: Floats) -> Floats:
        """The nearest numbers on the grid, as they are usually spelt."""
        if not self.step:
            return values
        rounded: Floats = np.round(np.round(values / self.step) * self.step, _DECIMALS) + 0.0
        return rounded


def find_baseline(
    column: NumberColumn,
    values: Floats,
    before: Sequence[str],
    columns: Columns,
    contract: DataContract,
) -> tuple[Baseline, bool]:
    """The baseline of a number, and whether it says the number exactly, up to its rounding.

    Args:
        column: The column.
        values: Its numbers.
        before: The columns before it.
        columns: The values of those.
        contract: The contract.
    """
    step = Grid.of(values).step
    for candidate in _candidates(column, values, before, columns, contract):
        error = values - candidate.centre(columns)
        left = error.var() / values.var()
        if left <= _EXACT_LEFT and np.mean(np.abs(error) <= _ROUNDED * step) >= _EXACT_SHARE:
            return candidate, True
        rate = isinstance(candidate, WeightedSum) and candidate.terms == 1
        if left <= 1 - _CLOSE and not rate:  # a rate is exact or none
            return candidate, False
    return WeightedSum(), False


def _candidates(
    column: NumberColumn,
    values: Floats,
    before: Sequence[str],
    columns: Columns,
    contract: DataContract,
) -> Sequence[Baseline]:
    found: list[Baseline] = []
    if not before or not values.var() > 0:
        return found
    roles = [
        _only(contract, role) for role in (Role.TOTAL_CHARGE, Role.TENURE, Role.MONTHLY_CHARGE)
    ]
    if roles[0] == column.name and set(roles[1:]) <= set(before):
        found.append(MonthsTimesCharge(str(roles[1]), str(roles[2])))
    numbers = [name for name in before if isinstance(contract.column(name), NumberColumn)]
    found += [_fit(values, [name], columns, contract) for name in numbers]
    return [*found, _fit(values, before, columns, contract)]


def _only(contract: DataContract, role: Role) -> str | None:
    """The number column with a role; None unless exactly one has it."""
    names = [each.name for each in contract.with_role(role) if isinstance(each, NumberColumn)]
    return names[0] if len(names) == 1 else None


def _fit(
    values: Floats, names: Sequence[str], columns: Columns, contract: DataContract
) -> WeightedSum:
    """The sum that comes nearest, by least squares."""
    blocks: list[Floats] = [np.ones((len(values), 1))]
    for name in names:
        column = contract.column(name)
        if isinstance(column, CategoryColumn | FlagColumn):
            blocks.append(np.eye(len(column.categories))[columns[name]])
        else:
            blocks.append(columns[name][:, None])
    with one_thread():
        found = np.linalg.lstsq(np.hstack(blocks), values, rcond=None)[0]
    constant, *parts = np.split(found, np.cumsum([block.shape[1] for block in blocks])[:-1])
    sizes = {name: tuple(part.tolist()) for name, part in zip(names, parts, strict=True)}
    return WeightedSum(
        float(constant[0]),
        tuple((name, size[0]) for name, size in sizes.items() if len(size) == 1),
        tuple((name, size) for name, size in sizes.items() if len(size) > 1),
    )
