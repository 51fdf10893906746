"""CSV text without a library for tables: checked as a whole, then row by row."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator

from churn.csv_files.foreign import require_csv
from churn.errors import InputError

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# Excel's hint for itself; it goes, and its line stays, so that lines are counted as in the file.
_SEPARATOR_LINE = re.compile(rb'(\xef\xbb\xbf)?"?sep=.?"?,*(?=\r?\n|\r)', re.IGNORECASE)


def plain_text(content: bytes, name: str) -> bytes:
    """Returns comma-separated UTF-8 text without Excel's hint about the separator.

    Raises:
        InputError: this is not such text, but maybe another kind of file.
    """
    if hint := _SEPARATOR_LINE.match(content):
        content = content[hint.end() :]
    require_csv(content, name)
    _require_text(content, name)
    _require_commas(content, name)
    return content


def read_rows(lines: Iterable[str], name: str) -> Iterator[tuple[int, list[str]]]:
    """Yields each row with the line it starts on, from 1; a blank line is a row without cells.

    Raises:
        InputError: a quote stays open, or something follows one that is closed.
    """
    reader = csv.reader(lines, strict=True)
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
