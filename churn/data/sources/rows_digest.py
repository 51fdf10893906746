"""Sources whose content is rows rather than bytes: their digest is of the rows."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pyarrow import csv as arrow_csv

from churn.data.dataset import Format
from churn.data.intake.parquet_text import as_texts
from churn.data.sources.table_source import CHUNK_ROWS, TableChunk, numbered, regrouped
from churn.errors import InputError


class RowsSource(ABC):
    """A table of a database or of a table format.

    Args:
        shown: The address as it may be shown.
        statement: What the digest names besides the rows: the text of a query.
    """

    format: Format

    def __init__(self, shown: str, statement: str = "") -> None:
        self.shown = shown
        self.size = 0
        self._statement = statement
        self._digest: str | None = None

    @abstractmethod
    def batches(self, rows: int) -> Iterator[Any]:
        """Record batches of one state of the table, of about so many rows; one at least."""

    def digest(self) -> str:
        """SHA-256 of the shown address, the statement and the rows, which are read once for it."""
        if self._digest is None:
            for _ in self.chunks():
                pass
        return str(self._digest)

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[TableChunk]:
        """The rows in the order that the table gives them in."""
        digest = hashlib.sha256(f"{self.shown}\n{self._statement}\n".encode())
        size = 0
        for chunk in numbered(regrouped(self.batches(rows), rows)):
            size += chunk.table.nbytes
            _add_rows(digest, chunk.table)
            yield chunk
        known, self._digest, self.size = self._digest, digest.hexdigest(), size
        if known not in (None, self._digest):
            raise InputError(
                f"{self.shown} has other rows than when it was read before. Read it again when "
                "nothing writes to it."
            )


def _add_rows(digest: Any, table: Any) -> None:
    """Adds rows to a digest, the same whatever chunks they come in."""
    sink = pa.BufferOutputStream()
    # A null stands without quotes, an empty text within.
    options = arrow_csv.WriteOptions(include_header=False, quoting_style="all_valid")
    arrow_csv.write_csv(as_texts(table), sink, options)
    digest.update(sink.getvalue())
