"""From a source's bytes to a table of texts: CSV, compressed or not, or parquet, by the bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from churn.data.dataset import Format
from churn.data.intake.csv_text import read_csv
from churn.data.intake.parquet_text import read_parquet
from churn.data.intake.unpack import packing, unpacked
from churn.errors import InputError

LARGEST = 2 << 30  # bytes, of a source and of what it unpacks to

_PARQUET = b"PAR1"


def read_raw(content: bytes, name: str, *, largest: int = LARGEST) -> tuple[Any, Format]:
    """Reads every cell of a file, of at most `largest` bytes once unpacked, as text.

    Returns:
        A pyarrow table of texts, nulls only where a parquet file has them; and the format.

    Raises:
        InputError: the bytes are no table.
    """
    if content.startswith(_PARQUET) or name.casefold().endswith(".parquet"):
        return read_parquet(content, name, largest=largest), "parquet"
    how = packing(content)
    if how is not None:
        return read_csv(unpacked(content, name, how, largest), name), how.format
    return read_csv(content, name), "csv"


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
