"""Pairs of columns whose churn ratio together is not what each alone would make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import xlogy
from scipy.stats import chi2

from churn.contract import CodedColumn, DataContract, NumberColumn
from churn.evaluation.holm import holm_errors
from churn.evaluation.weighted import Floats, Labels
from churn.exploration.breakdown import Group, group_rows
from churn.features.encoding import Columns

BANDS = 4
_LEVEL = 0.05
_ROUNDS = 500
_SETTLED = 1e-8


@dataclass(frozen=True)
class PairInteraction:
    """How the churn ratio by one column depends on another.

    Attributes:
        cells: the groups of `first` within each group of `second` that has customers.
        statistic: likelihood ratio of the pair against no interaction in the log-odds (G squared).
        significant: whether it is at the 5% level, with all pairs tested together (Holm).
    """

    first: str
    second: str
    unit: str
    cells: dict[str, tuple[Group, ...]]
    statistic: float
    p_value: float
    significant: bool


def find_interactions(
    columns: Columns, target: Labels, contract: DataContract, names: Sequence[str]
) -> tuple[PairInteraction, ...]:
    """Tests every pair of the named features, the strongest per degree of freedom first.

    The log-linear model without the three-way term is fitted by iterative proportional fitting
    (Deming & Stephan 1940); numbers are cut into bands.
    """
    found = []
    for first, second in combinations([c for c in contract.features if c.name in names], 2):
        # Bands go along the axis of a chart.
        if isinstance(second, NumberColumn) and not isinstance(first, NumberColumn):
            first, second = second, first  # noqa: PLW2901
        counts, labels = _pair_counts(columns, target, first, second)
        statistic, freedom = _three_way(counts)
        chance = float(chi2.sf(statistic, freedom)) if freedom > 0 else 1.0
        found.append((first, second, counts, labels, statistic, freedom, chance))
    limits = holm_errors([each[-1] for each in found], _LEVEL)
    pairs = [
        (
            statistic / max(freedom, 1),
            PairInteraction(
                first=first.name,
                second=second.name,
                unit=first.unit if isinstance(first, NumberColumn) else "",
                cells=_cells(counts, labels),
                statistic=statistic,
                p_value=chance,
                significant=chance < limit,
            ),
        )
        for (first, second, counts, labels, statistic, freedom, chance), limit in zip(
            found, limits, strict=True
        )
    ]
    return tuple(pair for _, pair in sorted(pairs, key=lambda each: -each[0]))


def _pair_counts(
    columns: Columns,
    target: Labels,
    first: CodedColumn | NumberColumn,
    second: CodedColumn | NumberColumn,
) -> tuple[Floats, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Customers by group of both columns and outcome, float64[i, j, 2], and the groups' labels."""
    (one, names), (other, others) = (
        group_rows(columns, column, bands=BANDS) for column in (first, second)
    )
    counts = np.zeros((len(names), len(others), 2))
    np.add.at(counts, (one, other, target), 1)
    return counts, (names, others)


def _three_way(counts: Floats) -> tuple[float, int]:
    """G squared of no three-way term, and its degrees of freedom; empty cells carry none."""
    fitted = np.ones_like(counts)
    for _ in range(_ROUNDS):
        before = fitted
        for axis in range(3):
            margin = fitted.sum(axis=axis, keepdims=True)
            expected = counts.sum(axis=axis, keepdims=True)
            fitted = fitted * np.divide(
                expected, margin, out=np.zeros_like(margin), where=margin > 0
            )
        if np.abs(fitted - before).max() < _SETTLED:
            break
    ratio = np.divide(counts, fitted, out=np.ones_like(counts), where=fitted > 0)
    occupied = counts.sum(axis=2) > 0
    lines = int(occupied.any(axis=1).sum() + occupied.any(axis=0).sum())
    return max(float(2 * xlogy(counts, ratio).sum()), 0.0), int(occupied.sum()) - lines + 1


def _cells(
    counts: Floats, labels: tuple[tuple[str, ...], tuple[str, ...]]
) -> dict[str, tuple[Group, ...]]:
    return {
        other: tuple(
            Group(label, int(cell.sum()), int(cell[1]))
            for label, cell in zip(labels[0], counts[:, place], strict=True)
            if cell.sum()
        )
        for place, other in enumerate(labels[1])
        if counts[:, place].sum()
    }
