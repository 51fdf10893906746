"""A chunk of any source as plain columns: texts, whole numbers, floats and booleans.

Training reads a parquet table as text, so 29.85 stored in 32 bits is 29.85 there; here, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from churn.contract.refusals import quote_text
from churn.errors import InputError

_AS_THEY_ARE: tuple[Callable[[Any], bool], ...] = (
    pa.types.is_string,
    pa.types.is_integer,
    pa.types.is_float64,
    pa.types.is_boolean,
    pa.types.is_null,
)
_AS_TEXT: tuple[Callable[[Any], bool], ...] = (
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_date,
    pa.types.is_timestamp,
)


def plain_column(column: Any, name: str, *, coded: bool = False) -> Any:
    """Returns a pyarrow column without chunks, as text where Python has no such plain value.

    Args:
        column: the column.
        name: its name, for the error.
        coded: whether texts that are stored as places in a dictionary stay so.

    Raises:
        InputError: the column is of a type that no value of a customer has, such as a list.
    """
    kind = column.type
    try:
        if isinstance(column, pa.ChunkedArray):
            # One chunk is taken as it is; combined, it would be copied.
            column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        if coded and pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type):
            return column
        if pa.types.is_dictionary(kind):
            column, kind = column.cast(kind.value_type), kind.value_type
        if any(is_kind(kind) for is_kind in _AS_THEY_ARE):
            return column
        if any(is_kind(kind) for is_kind in _AS_TEXT):
            return column.cast(pa.string())
    except pa.ArrowException:
        pass  # a type or a size that Arrow has no text for is refused like any other
    raise InputError(
        f"Column {quote_text(name)} is of type {quote_text(str(column.type))}, and only texts, "
        "numbers, booleans and dates are read. Write it as one of them."
    )


def trimmed(texts: Any) -> Any:
    """Texts without the spaces around them; a null stays null."""
    return pc.utf8_trim_whitespace(texts)
