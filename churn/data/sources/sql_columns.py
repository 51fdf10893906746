"""Rows of a database's driver as Arrow columns, of the types that the database says they have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from churn.contract.refusals import quote_text
from churn.errors import InputError

_WHOLE, _FLOAT = pa.int64(), pa.float64()
_DAY, _TIME = pa.date32(), pa.timestamp("us")
# By the drivers' type codes. Decimals stay texts, which keep every digit, and so does what is not here.
_POSTGRESQL = {
    16: pa.bool_(),
    20: _WHOLE, 21: _WHOLE, 23: _WHOLE,
    700: _FLOAT, 701: _FLOAT,
    1082: _DAY, 1114: _TIME, 1184: pa.timestamp("us", "UTC"),
}  # fmt: skip
_MYSQL = {
    1: _WHOLE, 2: _WHOLE, 3: _WHOLE, 8: _WHOLE, 9: _WHOLE,
    4: _FLOAT, 5: _FLOAT,
    7: _TIME, 10: _DAY, 12: _TIME,
}  # fmt: skip
# SQLite's columns have no types, and so are texts.
_TYPES = {"postgresql": _POSTGRESQL, "mysql": _MYSQL, "mariadb": _MYSQL}


def column_types(backend: str, description: Sequence[Sequence[Any]]) -> list[Any]:
    """The Arrow type of each column of a cursor, the same for every chunk of it."""
    codes = _TYPES.get(backend, {})
    return [codes.get(column[1], pa.string()) for column in description]


def arrow_batch(rows: Sequence[Sequence[Any]], names: Sequence[str], types: Sequence[Any]) -> Any:
    """Rows as a record batch.

    Raises:
        InputError: a value has no text, or is not of its column's type.
    """
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    arrays = []
    for values, name, kind in zip(columns, names, types, strict=True):
        try:
            arrays.append(_texts(values) if kind == pa.string() else pa.array(values, kind))
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            raise unreadable_column(name) from None
    return pa.RecordBatch.from_arrays(arrays, names=list(names))


def unreadable_column(name: str) -> InputError:
    """The refusal of a column whose values have no text, or are not of its type."""
    return InputError(
        f"Column {quote_text(name)} holds something other than texts, numbers, booleans and "
        "dates. Leave it out in a query, or cast it to text there."
    )


def _texts(values: Sequence[Any]) -> Any:
    """Values of any types as an array of texts; None stays."""
    try:
        found = pa.array(values)  # Arrow sees faster than we do that all are texts
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        found = None  # of several types
    if found is not None and found.type in (pa.string(), pa.int64()):
        return found.cast(pa.string())
    if set(map(type, values)) & {bytes, bytearray, memoryview, list, dict, tuple}:
        raise TypeError
    return pa.array([None if value is None else str(value) for value in values], pa.string())
