"""Chooses golden rows: every category, the numbers' extremes, and no customer among them.

A row takes its categories together from one training row, so that they make sense beside each
other, and each number from the training rows' quantiles and the contract's bounds. So what travels
with a bundle is nobody's record.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from churn.contract import BlankRule, DataContract, NumberColumn
from churn.features.encoding import Columns

_LEVELS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def golden_rows(columns: Columns, contract: DataContract) -> list[dict[str, Any]]:
    """Raw rows that cover what the contract allows; the same columns give the same rows.

    They are in the contract's raw values. Among them are every category of every column, every
    number's least and greatest value, in the training rows and by the contract, and every blank
    that the contract allows.
    """
    patterns = _patterns(columns, contract)
    levels = {column.name: _levels(columns, column) for column in contract.numbers}
    rows = []
    for place in range(max(len(patterns), *map(len, levels.values()), 1)):
        row = dict(patterns[place % len(patterns)])
        for shift, (name, values) in enumerate(levels.items()):
            row[name] = values[(place + shift) % len(values)]
        rows.append(row)
    for column in contract.numbers:
        if column.blank is not None and _can_be_blank(contract, column.blank):
            rule = column.blank
            rows.append(rows[0] | {column.name: "", rule.only_when: _spelt(rule, contract)})
    order = [column.name for column in contract.features]
    return [{name: row[name] for name in order} for row in rows]


def _patterns(columns: Columns, contract: DataContract) -> list[dict[str, Any]]:
    """Categories of training rows, chosen until every one occurs."""
    chosen: list[dict[str, int]] = []
    for column in contract.coded:
        for code in range(len(column.categories)):
            if any(pattern[column.name] == code for pattern in chosen):
                continue
            found = np.flatnonzero(columns[column.name] == code)
            where = int(found[0]) if len(found) else 0
            pattern = {c.name: int(columns[c.name][where]) for c in contract.coded}
            chosen.append(pattern | {column.name: code})  # also where no training row has it
    return [
        {c.name: c.categories[pattern[c.name]] for c in contract.coded} for pattern in chosen
    ] or [{}]


def _levels(columns: Columns, column: NumberColumn) -> list[float]:
    """A number's quantiles and bounds, each once, as JSON spells them."""
    values = columns[column.name]
    found = np.quantile(values, _LEVELS, method="inverted_cdf").tolist() if len(values) else []
    found += [column.minimum, column.maximum]
    if column.integer:
        found = [int(value) for value in found if float(value).is_integer()]
    return list(dict.fromkeys(v for v in found if column.minimum <= v <= column.maximum))


def _can_be_blank(contract: DataContract, rule: BlankRule) -> bool:
    other = contract.column(rule.only_when)
    return isinstance(other, NumberColumn) and other.minimum <= rule.equals <= other.maximum


def _spelt(rule: BlankRule, contract: DataContract) -> float:
    other = contract.column(rule.only_when)
    whole = isinstance(other, NumberColumn) and other.integer
    return int(rule.equals) if whole else rule.equals
