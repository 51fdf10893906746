"""Checks columns by the rules that a single row is checked by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.contract import CategoryColumn, DataContract, FlagColumn, NumberColumn
from churn.contract.refusals import allowed_values
from churn.contract.values import NumberReader
from churn.errors import InputError
from churn.features.encoding import Columns


def checked(columns: Columns, contract: DataContract) -> Columns:
    """The contract's feature columns, all of one length, every value allowed.

    Args:
        columns: numbers and category codes; others beside them are left out.
        contract: what they mean.

    Raises:
        InputError: a column is missing, of another length or kind, or holds a value that is not
            allowed; the sentence names column and row, counted from 1.
    """
    found: dict[str, NDArray[Any]] = {}
    length: int | None = None
    for column in contract.features:
        if column.name not in columns:
            raise InputError(
                f"Column '{column.name}' is missing; contract '{contract.name}' has it as a "
                "feature. Add it to the columns to be scored."
            )
        values = np.asarray(columns[column.name])
        if values.ndim != 1 or values.dtype.kind not in "iuf":
            raise InputError(
                f"Column '{column.name}' is not a list of numbers or category codes. Encode the "
                "rows with the bundle's own contract."
            )
        length = len(values) if length is None else length
        if len(values) != length:
            raise InputError(
                f"Column '{column.name}' has {len(values):,} rows where others have {length:,}. "
                "Give every column the same customers."
            )
        _require_allowed(column, values)
        found[column.name] = values
    return found


def _require_allowed(
    column: CategoryColumn | FlagColumn | NumberColumn, values: NDArray[Any]
) -> None:
    if not len(values):
        return
    if isinstance(column, NumberColumn):
        reader = NumberReader(column)
        minimum, maximum, whole = reader.minimum, reader.maximum, column.integer
    else:
        minimum, maximum = 0, len(column.categories) - 1
        whole = values.dtype.kind == "f"
    # Written so that NaN, which is neither smaller nor larger, is outside too.
    within = bool(values.min() >= minimum and values.max() <= maximum)
    if within and not (whole and (values != np.floor(values)).any()):
        return
    allowed = (values >= minimum) & (values <= maximum)
    if whole:
        allowed &= values == np.floor(values)
    row = int(np.argmin(allowed))
    raise InputError(f"Column '{column.name}' row {row + 1}: {_fault(column, values[row])}")


def _fault(column: CategoryColumn | FlagColumn | NumberColumn, value: Any) -> str:
    if isinstance(column, NumberColumn):
        return f"{value:g} is not {allowed_values(column)}. Fix the row, or leave it out."
    return (
        f"code {value:g} is none of its {len(column.categories)} categories. Encode rows with the "
        "bundle's own contract."
    )
