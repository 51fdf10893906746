"""CSV text without a library for tables: checked as a whole, then row by row."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from churn.csv_files.foreign import require_csv
from churn.errors import InputError

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# Excel's hint for itself; it goes, and its line stays, so that lines are counted as in the file.
_SEPARATOR_LINE = re.compile(rb'(\xef\xbb\xbf)?"?sep=.?"?,*(?=\r?\n|\r)', re.IGNORECASE)
_HEAD = 1 << 18  # bytes that show what kind of file it is, and most that are checked at once


class Readable(Protocol):
    """A binary file that is read from its beginning to its end."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, all or at most as many as asked for; none at the end."""


def plain_text(content: bytes, name: str) -> bytes:
    """Returns comma-separated UTF-8 text without Excel's hint about the separator.

    Raises:
        InputError: this is not such text, but maybe another kind of file.
    """
    return PlainText(io.BytesIO(content), name).read()


class PlainText(io.RawIOBase):
    """A file of separated UTF-8 text, checked while it is read, without Excel's hint.

    Reading raises `InputError` where this is not such text, but maybe another kind of file.

    Args:
        file: The file, from its beginning.
        name: What errors call it.
        separator: What stands between the cells.
    """

    def __init__(self, file: Readable, name: str, separator: str = ",") -> None:
        self._file: Readable = file
        self._name = name
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._lines = 0
        self.quotes = 0
        head = b""
        while len(head) < _HEAD and (piece := file.read(_HEAD - len(head))):
            head += piece
        final = len(head) < _HEAD
        if hint := _SEPARATOR_LINE.match(head):
            head = head[hint.end() :]
        require_csv(head, name)
        if not head.removeprefix(codecs.BOM_UTF8).strip():
            raise InputError(f"{name} is empty. Name a file with a header and customers.")
        self._head = self._checked(head, final=final)
        _require_separator(head, name, separator)

    def close(self) -> None:
        """Lets go of the file, and of what unpacks it."""
        file, self._file = self._file, io.BytesIO()
        close = getattr(file, "close", None)
        if close is not None:
            close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """Reads into a buffer, for whoever wraps this file."""
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def readable(self) -> bool:
        """It can be read, and nothing else."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes: all, or at most as many as asked for; none at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(_HEAD), b""))
        if self._head:
            piece, self._head = self._head[:size], self._head[size:]
            return piece
        piece = self._file.read(min(size, _HEAD))
        return self._checked(piece, final=not piece) if size else b""

    def _checked(self, piece: bytes, *, final: bool) -> bytes:
        nul = piece.find(b"\0")
        if nul >= 0:
            raise InputError(
                f"{self._name} has a NUL byte on line {self._line(piece, nul)}, so it is no text. "
                "Export the table as CSV again."
            )
        before = len(self._decoder.getstate()[0])
        try:
            self._decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            raise InputError(
                f"{self._name} is not UTF-8 on line {self._line(piece, error.start - before)}; it "
                "may be Latin-1 or Windows-1252. Save it as UTF-8."
            ) from None
        self._lines += piece.count(b"\n")
        self.quotes += piece.count(b'"')
        return piece

    def _line(self, piece: bytes, position: int) -> int:
        return self._lines + piece.count(b"\n", 0, max(position, 0)) + 1


def read_rows(
    lines: Iterable[str], name: str, separator: str = ","
) -> Iterator[tuple[int, list[str]]]:
    """Yields each row with the line it starts on, from 1; a blank line is a row without cells.

    Raises:
        InputError: a quote stays open, or something follows one that is closed.
    """
    reader = csv.reader(lines, strict=True, delimiter=separator)
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


def _require_separator(head: bytes, name: str, separator: str) -> None:
    header = head.lstrip().partition(b"\n")[0].decode("utf-8", errors="replace")
    for other, plural in _SEPARATORS.items():
        if header.count(other) > header.count(separator):
            expected = _SEPARATORS[separator]
            point = ", and with a point for decimals" if separator == "," else ""
            raise InputError(
                f"{name} is separated by {plural}, not by {expected}. Export it again with {expected}"
                f"{point}."
            )
