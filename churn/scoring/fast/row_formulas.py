"""Engineered columns of one customer, by the same formulas as those of a table.

A formula that reads only categories and whole numbers has few possible inputs, so its results are
computed at load by the formula itself and looked up afterwards. Any other is called on columns of
one row. Either way no formula is written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil, floor, prod

import numpy as np

from churn.contract import DataContract, NumberColumn
from churn.features.formula import BoundFormula
from churn.scoring.encoder import Values

_MOST_RESULTS = 20_000

RowFormula = Callable[[Values], float]


def row_formula(
    bound: BoundFormula, contract: DataContract, places: Mapping[str, int]
) -> RowFormula:
    """The formula for one customer.

    Args:
        bound: the formula.
        contract: which values its columns can take.
        places: where each column is among a customer's values.

    Returns:
        A function of a customer's values; bit for bit what `bound` gives for the same row.
    """
    spans = [_span(contract, name) for name in bound.reads]
    if all(spans) and prod(len(span) for span in spans if span) <= _MOST_RESULTS:
        return _looked_up(bound, contract, places, [span for span in spans if span])
    return _called(bound, contract, places)


def _span(contract: DataContract, name: str) -> range | None:
    """Every value that a column can take, where it can be counted."""
    column = contract.column(name)
    if isinstance(column, NumberColumn):
        span = range(ceil(column.minimum), floor(column.maximum) + 1)
        stray = column.blank is not None and column.blank.value not in span
        return span if column.integer and not stray else None
    return range(len(column.categories)) if column.kind in ("category", "flag") else None


def _looked_up(
    bound: BoundFormula, contract: DataContract, places: Mapping[str, int], spans: list[range]
) -> RowFormula:
    grid = np.meshgrid(*[np.asarray(span) for span in spans], indexing="ij")
    columns = {
        name: values.ravel().astype(_dtype(contract, name))
        for name, values in zip(bound.reads, grid, strict=True)
    }
    results: list[float] = bound(columns).tolist()
    steps = [prod(len(later) for later in spans[place + 1 :]) for place in range(len(spans))]
    offset = -sum(step * span.start for step, span in zip(steps, spans, strict=True))
    reads = [(places[name], step) for name, step in zip(bound.reads, steps, strict=True)]

    def evaluate(values: Values) -> float:
        place = offset
        for where, step in reads:
            place += step * int(values[where])
        return results[place]

    return evaluate


def _called(bound: BoundFormula, contract: DataContract, places: Mapping[str, int]) -> RowFormula:
    reads = [(name, places[name], _dtype(contract, name)) for name in bound.reads]

    def evaluate(values: Values) -> float:
        columns = {name: np.array([values[place]], dtype) for name, place, dtype in reads}
        return float(bound(columns)[0])

    return evaluate


def _dtype(contract: DataContract, name: str) -> type[np.float64] | type[np.int8]:
    return np.float64 if isinstance(contract.column(name), NumberColumn) else np.int8
