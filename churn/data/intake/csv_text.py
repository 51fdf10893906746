"""CSV to tables of texts, block by block: the structure is checked here, the cells' meaning later."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
from pyarrow import csv as arrow_csv

from churn.csv_files.csv_rows import PlainText, Readable, read_rows
from churn.errors import InputError

_BLOCK = 1 << 20  # bytes parsed at once; no row is longer


def csv_batches(
    open_file: Callable[[], Readable], name: str, separator: str = ","
) -> Iterator[Any]:
    """Reads separated UTF-8 text; a byte order mark and any line ends will do.

    Args:
        open_file: Opens the text at its beginning; called again only to find out what is wrong.
        name: What errors call it.
        separator: What stands between the cells.

    Yields:
        Record batches of texts under the header's names, as they stand.

    Raises:
        InputError: this is not CSV, or its rows have different lengths.
    """
    text = PlainText(open_file(), name, separator)
    rows = 0
    try:
        for batch in arrow_csv.open_csv(
            pa.PythonFile(text, mode="r"),
            read_options=arrow_csv.ReadOptions(block_size=_BLOCK),
            parse_options=arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                strings_can_be_null=False, null_values=[], default_column_type=pa.string()
            ),
        ):
            rows += batch.num_rows
            yield batch
    except pa.ArrowException:
        # Arrow's own message quotes the row, and with it a customer.
        text.close()
        _require_regular(open_file(), name, separator)
        raise InputError(f"{name} cannot be read as CSV. Export the table as CSV again.") from None
    # A quote left open swallows the rest of the file, and the reader above does not mind.
    if text.quotes % 2:
        _require_regular(open_file(), name, separator)


def _require_regular(file: Readable, name: str, separator: str) -> None:
    """Walks the rows slowly, to name the first that is unlike the header.

    Raises:
        InputError: a row is longer or shorter, a quote stays open, or there is nothing but a header.
    """
    plain = io.BufferedReader(PlainText(file, name, separator))
    text = io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")
    width = 0
    rows = 0
    for start, row in read_rows(text, name, separator):
        if not row:
            continue
        rows += 1
        if rows == 1:
            width = len(row)
        elif len(row) != width:
            raise InputError(
                f"{name} line {start}: {len(row):,} field{'s' if len(row) > 1 else ''} where the "
                f"header has {width:,}. Make the line whole, or quote the comma in it."
            )
    if rows == 1:
        raise InputError(f"{name} has a header but no customers. Name a file with rows.")
