"""Turns typed customer tables into plain columns: numbers as they are, categories as codes.

A code is the category's place in the contract's list, so one row and ten million rows, today's
table and next year's, are encoded alike without anything being fitted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from churn.contract import CodedColumn, DataContract, NumberColumn, TargetColumn
from churn.contract.id_mask import HIDDEN, IdMask
from churn.contract.values import CategoryReader, RefusedValue
from churn.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Columns = Mapping[str, NDArray[Any]]
Floats = NDArray[np.float64]


def encode(
    frame: pd.DataFrame, contract: DataContract, *, only: Collection[str] | None = None
) -> Columns:
    """Feature columns as arrays.

    Args:
        frame: A typed table, as `churn.data.intake.parse` returns it.
        contract: The contract it was parsed by.
        only: names of the features to encode; all by default.

    Returns:
        Feature name -> float64[n] for a number, int8[n] codes for a category or flag.

    Raises:
        InputError: a feature column is missing or holds a value outside its categories.

    Examples:
        >>> from pathlib import Path
        >>> from churn.contract import load_contract
        >>> from churn.data import acquire
        >>> contract = load_contract(Path("data/contracts/telco.yaml"))
        >>> table = acquire("bundled", contract, root=Path(), cache=Path(".churn")).frame
        >>> columns = encode(table, contract)
        >>> len(columns), columns["tenure"][:3].tolist(), columns["Contract"][:3].tolist()
        (19, [1.0, 34.0, 2.0], [0, 1, 0])
    """
    columns: dict[str, NDArray[Any]] = {}
    for column in contract.features:
        if only is not None and column.name not in only:
            continue
        if column.name not in frame.columns:
            raise InputError(
                f"Column '{column.name}' is missing; contract '{contract.name}' needs it as a "
                "feature. Add it to the table."
            )
        if isinstance(column, NumberColumn):
            columns[column.name] = frame[column.name].to_numpy(dtype=np.float64)
        else:
            columns[column.name] = _codes(frame, column, contract)
    return columns


def encode_target(frame: pd.DataFrame, contract: DataContract) -> NDArray[np.int8]:
    """The target as int8[n]: 1 where the event happened, 0 elsewhere.

    Raises:
        InputError: the column is missing or holds another value.
    """
    target = contract.target
    if target.name not in frame.columns:
        raise InputError(f"Column '{target.name}' is missing; training needs the target.")
    return _codes(frame, target, contract)


def take(columns: Columns, rows: NDArray[Any]) -> Columns:
    """The same columns, only those rows (positions or a mask)."""
    return {name: values[rows] for name, values in columns.items()}


def row_count(columns: Columns) -> int:
    """How many rows the columns hold; 0 without columns."""
    return next((len(values) for values in columns.values()), 0)


def _codes(
    frame: pd.DataFrame, column: CodedColumn | TargetColumn, contract: DataContract
) -> NDArray[np.int8]:
    # Here and not above: a service scores mappings, and never loads pandas.
    import pandas as pd

    series, categories = frame[column.name], column.categories
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype) and tuple(dtype.categories) == categories:
        codes = series.cat.codes.to_numpy()
    else:
        codes = pd.Categorical(series, categories=list(categories)).codes
    read: NDArray[np.int8] = np.array(codes, dtype=np.int8)
    reader = CategoryReader(column)
    for row in np.flatnonzero(read < 0):
        value = series.iloc[row]
        try:
            read[row] = reader[value]
        except RefusedValue:
            ids = [frame[contract.id.name].dropna()] if contract.id.name in frame.columns else []
            value = value.item() if isinstance(value, np.generic) else value
            shown = str(HIDDEN) if IdMask(*ids).hides(value) else repr(value)
            raise InputError(
                f"Column '{column.name}' row {row + 1}: {shown} is not one of "
                f"{', '.join(categories)}. Correct the cell."
            ) from None
    return read
