"""From a file's bytes to tables, whatever they turn out to be: CSV, compressed or not, parquet or Arrow."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from churn.csv_files.csv_rows import Readable
from churn.data.dataset import Format
from churn.data.intake.arrow_file import FILE, STREAM, arrow_batches
from churn.data.intake.csv_text import csv_batches
from churn.data.intake.parquet_text import as_texts, parquet_batches
from churn.data.intake.unpack import MAGIC, UnpackedFile, packing
from churn.errors import InputError

LARGEST = 2 << 30  # bytes, of a source and of what it unpacks to

_PARQUET = b"PAR1"
_ROWS = 1 << 13  # read at once: a few bytes of parquet can stand for any number of rows


def file_format(start: bytes, name: str) -> Format:
    """What a file's first bytes, or else its name, say that it is."""
    if start.startswith(_PARQUET) or name.casefold().endswith(".parquet"):
        return "parquet"
    if start.startswith((FILE, STREAM)):
        return "arrow"
    how = packing(start)
    return "csv" if how is None else how.format


def file_batches(
    open_file: Callable[[], Any],
    name: str,
    *,
    rows: int = _ROWS,
    separator: str = ",",
    largest: int | None = None,
    coded: Collection[str] = (),
) -> Iterator[Any]:
    """Reads a file piece by piece.

    Args:
        open_file: Opens it at its beginning.
        name: What errors call it.
        rows: How many rows of parquet and Arrow a batch has at most.
        separator: What stands between the cells of CSV.
        largest: How many bytes it may unpack to; None for any number.
        coded: Columns of parquet whose texts come as places in a dictionary.

    Yields:
        Record batches: texts from CSV, the stored types from parquet and Arrow.

    Raises:
        InputError: the bytes are no table.
    """
    with open_file() as file:
        start = file.read(MAGIC)
    kind = file_format(start, name)
    if kind in ("parquet", "arrow"):
        with open_file() as file:
            if kind == "parquet":
                batches = parquet_batches(file, name, rows, coded)
            else:
                batches = arrow_batches(file, name, rows)
            yield from limited(batches, name, largest)
        return
    how = packing(start)

    def text() -> Readable:
        return open_file() if how is None else UnpackedFile(open_file(), name, how, largest)

    yield from csv_batches(text, name, separator)


def read_raw(content: bytes, name: str, *, largest: int = LARGEST) -> tuple[Any, Format]:
    """Reads every cell of a file, of at most `largest` bytes once unpacked, as text.

    Returns:
        A pyarrow table of texts, nulls only where a parquet file has them; and the format.

    Raises:
        InputError: the bytes are no table.
    """
    batches = file_batches(lambda: io.BytesIO(content), name, largest=largest)
    texts = list(map(as_texts, batches))
    if not texts:
        raise InputError(f"{name} has a header but no customers. Take one with rows.")
    return pa.Table.from_batches(texts), file_format(content[:MAGIC], name)


def limited(pieces: Iterable[Any], name: str, largest: int | None) -> Iterator[Any]:
    """Batches or tables as they are; an `InputError` once they have more than `largest` bytes."""
    size = 0
    for piece in pieces:
        size += piece.nbytes
        if largest is not None and size > largest:
            raise InputError(
                f"{name} unpacks to more than {largest:,} bytes, and no table read here may. Split it."
            )
        yield piece


def read_parts(
    contents: Sequence[bytes], names: Sequence[str], *, largest: int = LARGEST
) -> tuple[Any, Format]:
    """Reads files that hold one table together, each of its own rows, as `read_raw` does.

    Raises:
        InputError: one is no table, or has other columns than the first.
    """
    tables: list[Any] = []
    kinds: list[Format] = []
    for content, name in zip(contents, names, strict=True):
        table, kind = read_raw(content, name, largest=largest)
        largest -= table.nbytes
        tables.append(table)
        kinds.append(kind)
        if (kind, table.column_names) != (kinds[0], tables[0].column_names):
            raise InputError(
                f"{name} has other columns than {names[0]}, or another format, though both are parts "
                "of one table. Write the folder again."
            )
    return pa.concat_tables(tables), kinds[0]
