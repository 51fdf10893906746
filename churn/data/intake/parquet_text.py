"""Parquet bytes to a table of texts, so that one parser serves every format."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from churn.contract.refusals import quote_text
from churn.errors import InputError

_BUFFER = 1 << 20  # bytes of a column that are read ahead
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


def parquet_batches(file: Any, name: str, rows: int, coded: Collection[str] = ()) -> Iterator[Any]:
    """Reads a parquet file row group by row group.

    Args:
        file: A path, or a file that can be read at any place.
        name: What errors call it.
        rows: How many rows a batch has at most.
        coded: Columns whose texts come as places in a dictionary, for a third of the time.

    Yields:
        Record batches of the stored types; none spans two row groups.

    Raises:
        InputError: the bytes are no parquet file or are damaged, or a column is there twice.
    """
    try:
        metadata = parquet.read_metadata(file)
        there = [name for name in coded if name in metadata.schema.names]
        stored = parquet.ParquetFile(
            file, metadata=metadata, buffer_size=_BUFFER, read_dictionary=there
        )
        _require_different(stored.schema_arrow.names)
        for group in range(stored.num_row_groups):
            for batch in stored.iter_batches(rows, row_groups=[group], use_threads=False):
                batch.validate(full=True)  # a damaged text need not be UTF-8
                yield batch
        if not stored.metadata.num_rows:
            yield pa.RecordBatch.from_pylist([], schema=stored.schema_arrow)
    except (pa.ArrowException, OSError, ValueError) as error:
        if getattr(error, "errno", None):  # the place, not the bytes, is at fault
            raise
        raise InputError(
            f"{name} is not a whole parquet file. Write it again, or hand over CSV."
        ) from None


def as_texts(table: Any) -> Any:
    """A table or a batch with every value as a text; a null stays null.

    Raises:
        InputError: a column holds something other than texts, numbers, booleans and dates.
    """
    names = table.schema.names
    columns = [_texts(column, name) for column, name in zip(table.columns, names, strict=True)]
    return type(table).from_arrays(columns, names=names)


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
