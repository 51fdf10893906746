"""Parquet bytes to a table of texts, so that one parser serves every format."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from churn.contract.refusals import quote_text
from churn.errors import InputError

_ROWS = 1 << 13  # read at once
_PLAIN = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_boolean,
    pa.types.is_date,
    pa.types.is_timestamp,
    pa.types.is_null,
)


def read_parquet(content: bytes, name: str, *, largest: int) -> Any:
    """Reads a parquet file's columns as texts of at most `largest` bytes; a null stays null.

    Raises:
        InputError: the bytes are no parquet file, are damaged or unpack to too much, or a column
            holds something other than texts, numbers and booleans.
    """
    try:
        file = parquet.ParquetFile(pa.BufferReader(content))
        names = file.schema_arrow.names
        _require_different(names)
        batches = []
        remaining = largest
        # Piece by piece: a few bytes of parquet can stand for any number of rows.
        for batch in file.iter_batches(_ROWS, use_threads=False):
            pairs = zip(batch.columns, names, strict=True)
            texts = [_texts(column, each) for column, each in pairs]
            batches.append(pa.RecordBatch.from_arrays(texts, names=names))
            batches[-1].validate(full=True)  # a damaged text need not be UTF-8
            remaining -= batches[-1].nbytes
            if remaining < 0:
                raise InputError(
                    f"{name} unpacks to more than {largest:,} bytes, and no table read here may. "
                    "Split it."
                )
    except (pa.ArrowException, OSError, ValueError):
        raise InputError(
            f"{name} is not a whole parquet file. Write it again, or hand over CSV."
        ) from None
    schema = pa.schema([(each, pa.string()) for each in names])
    return pa.Table.from_batches(batches, schema=schema)


def _require_different(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"Column {quote_text(name)} is there twice in the file. Keep one.")


def _texts(column: Any, name: str) -> Any:
    try:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
            column = _whole_where_it_can(column)
        if any(is_kind(column.type) for is_kind in _PLAIN):
            return column.cast(pa.string())
    except pa.ArrowException:
        pass  # a kind or a size that Arrow has no text for is refused like any other
    raise InputError(
        f"Column {quote_text(name)} is of parquet type {quote_text(str(column.type))}, and only texts, "
        "numbers, booleans and dates are read. Write it as one of them."
    )


def _whole_where_it_can(column: Any) -> Any:
    """Floats and decimals as integers where every one is whole.

    A flag 0/1 next to a blank is stored as a float, and Spark writes every whole number as a decimal.
    """
    try:
        return pc.cast(column, pa.int64(), safe=True)
    except pa.ArrowInvalid:
        return column
