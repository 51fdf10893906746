"""CSV bytes to a table of texts: the structure is checked here, the cells' meaning later."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pyarrow import csv as arrow_csv

from churn.data.intake.foreign import require_csv
from churn.errors import InputError

_BLOCK = 16 << 20  # bytes parsed at once; no row is longer
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# Excel's hint for itself; it goes, and its line stays, so that lines are counted as in the file.
_SEPARATOR_LINE = re.compile(rb'(\xef\xbb\xbf)?"?sep=.?"?,*(?=\r?\n|\r)', re.IGNORECASE)


def read_csv(content: bytes, name: str) -> Any:
    """Reads comma-separated UTF-8 text; a byte order mark and any line ends will do.

    Returns:
        A pyarrow table of texts under the header's names, as they stand.

    Raises:
        InputError: this is not CSV, or its rows have different lengths.
    """
    if _SEPARATOR_LINE.match(content):
        content = _SEPARATOR_LINE.sub(b"", content, count=1)
    require_csv(content, name)
    _require_text(content, name)
    _require_commas(content, name)
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


def _require_text(content: bytes, name: str) -> None:
    if not content.removeprefix(codecs.BOM_UTF8).strip():
        raise InputError(f"{name} is empty. Name a file with a header and customers.")
    nul = content.find(b"\0")
    if nul >= 0:
        raise InputError(
            f"{name} has a NUL byte on line {_line(content, nul)}, so it is no text. "
            "Export the table as CSV again."
        )
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not UTF-8 on line {_line(content, error.start)}; it may be Latin-1 or "
            "Windows-1252. Save it as UTF-8."
        ) from None


def _require_commas(content: bytes, name: str) -> None:
    header = content.lstrip().partition(b"\n")[0].decode("utf-8")
    for separator, plural in _SEPARATORS.items():
        if header.count(separator) > header.count(","):
            raise InputError(
                f"{name} is separated by {plural}, not by commas. Export it again with commas, and "
                "with a point for decimals."
            )


def _line(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1


def _require_regular(content: bytes, name: str) -> None:
    """Walks the rows slowly, to name the first that is unlike the header.

    Raises:
        InputError: a row is longer or shorter, a quote stays open, or there is nothing but a header.
    """
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    width = 0
    rows = 0
    for start, row in _rows(text, name):
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


def _rows(text: io.TextIOWrapper, name: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it starts on, from 1."""
    reader = csv.reader(text, strict=True)
    start = 1
    try:
        for row in reader:
            yield start, row
            start = reader.line_num + 1
    except csv.Error:
        raise InputError(
            f"{name} line {start}: the row cannot be read as CSV; a quote may be open. "
            "Close it, or export the table again."
        ) from None
