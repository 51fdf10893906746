"""Churn ratio by the groups of one column: its categories, or the bands of a number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, entropy

from churn.contract import CodedColumn, DataContract, NumberColumn
from churn.evaluation.disparities import Estimate, wilson_interval
from churn.evaluation.weighted import Labels
from churn.features.encoding import Columns

Groups = NDArray[np.intp]

BANDS = 6
LEAST_ROWS = 30
"""A ratio of fewer customers is shown, but no sentence is built on it."""
_LEVEL = 0.05


@dataclass(frozen=True)
class Group:
    """Customers that have a category, or a band of a number, in common."""

    label: str
    rows: int
    left: int

    @property
    def ratio(self) -> Estimate:
        """The share who left, with Wilson's interval."""
        return Estimate(value=self.left / self.rows, interval=wilson_interval(self.left, self.rows))


@dataclass(frozen=True)
class Breakdown:
    """The churn ratio in every group of a column that has customers, in the column's own order.

    Attributes:
        unit: of the bands; empty for categories.
        explained: share of the outcome's entropy that the groups explain (Theil's U), 0 to 1.
        p_value: of the likelihood-ratio test that all groups have one ratio.
    """

    column: str
    unit: str
    groups: tuple[Group, ...]
    explained: float
    p_value: float

    @property
    def differs(self) -> bool:
        """Whether chance alone explains the differences badly (5% level, this column alone)."""
        return self.p_value < _LEVEL and len(self._large) > 1

    @property
    def highest(self) -> Group:
        """The large group with the highest ratio."""
        return max(self._large, key=lambda group: group.ratio.value)

    @property
    def lowest(self) -> Group:
        """The large group with the lowest ratio."""
        return min(self._large, key=lambda group: group.ratio.value)

    @property
    def finding(self) -> str:
        """What the groups show, as a title."""
        high, low = self.highest, self.lowest
        if not self.differs:
            return f"{self.column}: no clear difference, {low.ratio.value:.1%} to {high.ratio.value:.1%} left"
        return (
            f"{self.column}: {high.ratio.value:.1%} left at {self.named(high)}, "
            f"{low.ratio.value:.1%} at {self.named(low)}"
        )

    def named(self, group: Group) -> str:
        """A group's label with the unit of its band."""
        return f"{group.label} {self.unit}".strip()

    @property
    def _large(self) -> tuple[Group, ...]:
        return tuple(g for g in self.groups if g.rows >= LEAST_ROWS) or self.groups


def break_down(
    columns: Columns, target: Labels, column: CodedColumn | NumberColumn, *, bands: int = BANDS
) -> Breakdown:
    """The churn ratio by a column's groups; a number is cut into bands of about as many customers.

    Raises:
        ValueError: there are no customers.

    Examples:
        >>> from churn.contract import FlagColumn
        >>> column = FlagColumn(name="card", kind="flag", meaning="Pays by card")
        >>> left = np.array([0, 0, 1, 1], dtype=np.int8)
        >>> break_down({"card": np.array([1, 1, 0, 0])}, left, column).groups
        (Group(label='No', rows=2, left=2), Group(label='Yes', rows=2, left=0))
    """
    if not len(target):
        raise ValueError("a table without customers has no churn ratio")
    member, labels = group_rows(columns, column, bands=bands)
    rows = np.bincount(member, minlength=len(labels))
    left = np.bincount(member, target, minlength=len(labels)).astype(int)
    groups = tuple(
        Group(label, int(n), int(k)) for label, n, k in zip(labels, rows, left, strict=True) if n
    )
    outcome = float(entropy([target.mean(), 1 - target.mean()]))
    within = sum(g.rows * float(entropy([g.left, g.rows - g.left])) for g in groups) / len(target)
    gained = max(outcome - within, 0.0)
    return Breakdown(
        column=column.name,
        unit=column.unit if isinstance(column, NumberColumn) else "",
        groups=groups,
        explained=gained / outcome if outcome else 0.0,
        p_value=float(chi2.sf(2 * len(target) * gained, len(groups) - 1))
        if len(groups) > 1
        else 1.0,
    )


def rank_columns(columns: Columns, target: Labels, contract: DataContract) -> tuple[Breakdown, ...]:
    """Every feature's breakdown, the one that explains most first."""
    found = (break_down(columns, target, column) for column in contract.features)
    return tuple(sorted(found, key=lambda each: -each.explained))


def group_rows(
    columns: Columns, column: CodedColumn | NumberColumn, *, bands: int = BANDS
) -> tuple[Groups, tuple[str, ...]]:
    """Each row's group, intp[n], and the groups' labels; a group may be empty."""
    values = columns[column.name]
    if not isinstance(column, NumberColumn):
        return np.asarray(values, dtype=np.intp), column.categories
    cuts = np.unique(np.quantile(values, np.linspace(0, 1, bands + 1)[1:-1]))
    member = np.asarray(np.searchsorted(cuts, values, side="left"), dtype=np.intp)
    return member, tuple(_band_labels(values, member, len(cuts) + 1))


def _band_labels(values: NDArray[Any], member: Groups, count: int) -> Iterator[str]:
    for band in range(count):
        inside = values[member == band]
        if not len(inside):
            yield ""
            continue
        low, high = float(inside.min()), float(inside.max())
        yield f"{low:,.6g}" if low == high else f"{low:,.6g} to {high:,.6g}"
