"""CSV bytes to a table of texts: the structure is checked here, the cells' meaning later."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
from pyarrow import csv as arrow_csv

from churn.csv_files.csv_rows import plain_text, read_rows
from churn.errors import InputError

_BLOCK = 16 << 20  # bytes parsed at once; no row is longer


def read_csv(content: bytes, name: str) -> Any:
    """Reads comma-separated UTF-8 text; a byte order mark and any line ends will do.

    Returns:
        A pyarrow table of texts under the header's names, as they stand.

    Raises:
        InputError: this is not CSV, or its rows have different lengths.
    """
    content = plain_text(content, name)
    # A quote left open swallows the rest of the file, and the reader below would not mind.
    if content.count(b'"') % 2:
        _require_regular(content, name)
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(content),
            read_options=arrow_csv.ReadOptions(block_size=_BLOCK),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=b'"' in content),
            convert_options=arrow_csv.ConvertOptions(
                strings_can_be_null=False, null_values=[], default_column_type=pa.string()
            ),
        )
    except pa.ArrowException:
        # Arrow's own message quotes the row, and with it a customer.
        _require_regular(content, name)
        raise InputError(f"{name} cannot be read as CSV. Export the table as CSV again.") from None


def _require_regular(content: bytes, name: str) -> None:
    """Walks the rows slowly, to name the first that is unlike the header.

    Raises:
        InputError: a row is longer or shorter, a quote stays open, or there is nothing but a header.
    """
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    width = 0
    rows = 0
    for start, row in read_rows(text, name):
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
