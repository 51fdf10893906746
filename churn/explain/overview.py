"""Builds the explanation report from exact contributions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from churn.contract import CodedColumn, DataContract, NumberColumn
from churn.errors import InputError
from churn.explain.explanation_report import (
    FEWEST,
    Band,
    ColumnStrength,
    Dependence,
    ExplanationReport,
    Swarm,
)
from churn.explain.grouping import Contributions, contributions_by_column
from churn.explain.interaction import interaction, quantile_groups
from churn.explain.wording import number_in_words
from churn.features.encoding import Columns, Floats, row_count
from churn.models.candidate import FittedModel

SHOWN_SWARMS = 10
SHOWN_DEPENDENCE = 4
FEWEST_ROWS = 100
MOST_ROWS = 20_000  # Shapley values of trees take their time; these means need no more rows
MOST_ESTIMATED_ROWS = 2_000  # estimated ones take milliseconds a customer

_LEVELS = 5
_BANDS = 16
_CATEGORIES = 8  # as many as a chart has room for; of more, those kept by themselves
_KEPT = 7
_SWARM_BINS = 90

_Described = CodedColumn | NumberColumn


def explain(
    model: FittedModel, columns: Columns, contract: DataContract, *, name: str
) -> ExplanationReport:
    """What a model goes by on some customers.

    Args:
        model: the model.
        columns: encoded columns of n customers; of more than 20,000 rows as many at even steps
            are taken, of more than 2,000 where contributions are estimated.
        contract: the contract they were encoded by.
        name: what the model is called in titles.

    Raises:
        InputError: there are fewer than 100 customers, a column is missing or cannot be scored, or
            the model has a feature that the contract does not know.
    """
    total = row_count(columns)
    if total < FEWEST_ROWS:
        raise InputError(
            f"A model cannot be explained on {total} customers, because no mean over fewer than "
            f"{FEWEST} is kept; hand over {FEWEST_ROWS} rows or more, or ask for the reasons of "
            "each customer."
        )
    exact = model.exact
    every = -(-total // (MOST_ROWS if exact else MOST_ESTIMATED_ROWS))
    some = {column: values[::every] for column, values in columns.items()}
    parts = contributions_by_column(model, some, contract)
    ranked = _strengths(parts, contract)
    strongest = [_contract_column(contract, each.column) for each in ranked]
    edges = _swarm_edges(parts, strongest[:SHOWN_SWARMS])
    return ExplanationReport(
        model=name,
        additive=model.additive,
        exact=exact,
        rows=row_count(some),
        base=model.base,
        importance=ranked,
        swarm_edges=tuple(map(float, edges)),
        swarms=tuple(_swarm(each, some, parts, edges) for each in strongest[:SHOWN_SWARMS]),
        dependence=tuple(
            found
            for each in strongest[:SHOWN_DEPENDENCE]
            if (found := _dependence(each, some, parts)).bands
        ),
        interaction=interaction(model.features, some, parts, contract),
    )


def _strengths(parts: Contributions, contract: DataContract) -> tuple[ColumnStrength, ...]:
    """Mean absolute contribution of every column of the table, strongest first."""
    means = np.abs(parts.values).mean(axis=0)
    order = np.argsort(-means, kind="stable")
    return tuple(
        ColumnStrength(
            column=parts.columns[place],
            strength=float(means[place]),
            actionable=_contract_column(contract, parts.columns[place]).actionable,
        )
        for place in order
    )


def _contract_column(contract: DataContract, name: str) -> _Described:
    """A feature column of a contract."""
    return next(column for column in contract.features if column.name == name)


def _swarm_edges(parts: Contributions, shown: Sequence[_Described]) -> Floats:
    found = np.stack([parts.column(column.name) for column in shown], axis=1)
    lowest, highest = float(found.min()), float(found.max())
    wide = max(highest - lowest, 1e-6)  # a model that learnt nothing has one contribution: 0
    return np.linspace(lowest - 0.01 * wide, highest + 0.01 * wide, _SWARM_BINS + 1)


def _swarm(column: _Described, rows: Columns, parts: Contributions, edges: Floats) -> Swarm:
    values = rows[column.name]
    if isinstance(column, NumberColumn):
        cuts = np.unique(np.quantile(values, np.linspace(0, 1, _LEVELS + 1)[1:-1]))
        # Where many have the lowest number, the group below the first cut is empty.
        held, level = np.unique(cuts.searchsorted(values, side="right"), return_inverse=True)
        levels = _ranges(column, values, level, len(held))
    else:
        level, levels = _largest_categories(column, values.astype(np.intp))
    bins = np.clip(
        edges.searchsorted(parts.column(column.name), side="right") - 1, 0, len(edges) - 2
    )
    counts = np.zeros((len(edges) - 1, len(levels)), dtype=np.int64)
    np.add.at(counts, (bins, level), 1)
    return Swarm(column=column.name, levels=levels, counts=tuple(map(tuple, counts.tolist())))


def _largest_categories(
    column: CodedColumn, codes: NDArray[np.intp]
) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Codes and names of a column's categories; of more than can be shown, the largest and the rest."""
    names = column.categories
    if len(names) <= _CATEGORIES:
        return codes, names
    largest = np.sort(np.argsort(-np.bincount(codes, minlength=len(names)), kind="stable")[:_KEPT])
    place = np.full(len(names), _KEPT)
    place[largest] = range(_KEPT)
    shown = (*(names[code] for code in largest), f"{len(names) - _KEPT} others")
    return place[codes], shown


def _ranges(
    column: NumberColumn, values: Floats, level: NDArray[np.intp], count: int
) -> tuple[str, ...]:
    """The ranges of number groups in words."""
    found = []
    for number in range(count):
        inside = values[level == number]
        low, high = (_brief(column, bound) for bound in (inside.min(), inside.max()))
        found.append(low if low == high else f"{low} to {high}")
    return tuple(found)


def _brief(column: NumberColumn, value: float) -> str:
    few = 100  # from here on the decimals of a number say nothing in a picture
    return f"{value:,.0f}" if abs(value) >= few else number_in_words(column, value)


def _dependence(column: _Described, rows: Columns, parts: Contributions) -> Dependence:
    values, found = rows[column.name], parts.column(column.name)
    if isinstance(column, NumberColumn):
        group = quantile_groups(values, min(_BANDS, len(values) // (2 * FEWEST)))
        held, group = np.unique(group, return_inverse=True)
        labels = _ranges(column, values, group, len(held))
        unit = column.unit
    else:
        (group, labels), unit = _largest_categories(column, values.astype(np.intp)), ""
        values = group
    bands = []
    for number, label in enumerate(labels):
        inside = group == number
        if inside.sum() < FEWEST:
            continue
        low, high = np.quantile(found[inside], [0.1, 0.9])
        bands.append(
            Band(
                label=label,
                middle=float(values[inside].mean()),
                rows=int(inside.sum()),
                mean=float(found[inside].mean()),
                low=float(low),
                high=float(high),
            )
        )
    return Dependence(column=column.name, unit=unit, bands=tuple(bands))
