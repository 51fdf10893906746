"""Sources whose content is rows rather than bytes: their digest is of the rows."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
    ordered = False

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
        columns: list[_ColumnDigest] = []
        size = 0
        for chunk in numbered(regrouped(self.batches(rows), rows)):
            size += chunk.table.nbytes
            columns = columns or [_ColumnDigest(field) for field in chunk.table.schema]
            for digest, column in zip(columns, chunk.table.columns, strict=True):
                digest.add(column)
            yield chunk
        parts = [f"{self.shown}\n{self._statement}\n".encode(), *(each.value() for each in columns)]
        found = hashlib.sha256(b"".join(parts)).hexdigest()
        known, self._digest, self.size = self._digest, found, size
        if known not in (None, self._digest):
            raise InputError(
                f"{self.shown} has other rows than when it was read before. Read it again when "
                "nothing writes to it."
            )


class _ColumnDigest:
    """A digest of a column's values, the same whatever chunks they come in.

    Arrow's own buffers are hashed: no text or object is made of each value. Lengths and bytes have a
    digest each, so that no chunk's end shows in them.
    """

    def __init__(self, field: Any) -> None:
        self._field = field
        self._lengths, self._bytes = hashlib.sha256(), hashlib.sha256()

    def add(self, column: Any) -> None:
        """Adds a chunk's values; a null has the length -1 and no bytes."""
        kind = column.type
        width = 0
        if (pa.types.is_primitive(kind) and kind != pa.bool_()) or pa.types.is_decimal(kind):
            width = kind.bit_width // 8
        elif kind != pa.string():
            column = as_texts(pa.table({self._field.name: column})).column(0)
        for values in column.chunks:
            if width:
                self._add_numbers(values, width)
            else:
                self._add_texts(values)

    def value(self) -> bytes:
        """What the whole column comes to, its name and type included."""
        name = f"{self._field.name}\n{self._field.type}\n".encode()
        return name + self._lengths.digest() + self._bytes.digest()

    def _add_numbers(self, values: Any, width: int) -> None:
        self._lengths.update(np.where(values.is_null(), -1, width).astype(np.int32).tobytes())
        known = values.drop_null()  # what lies below a null is anything
        if len(known):
            start = known.offset * width
            self._bytes.update(known.buffers()[1][start : start + len(known) * width])

    def _add_texts(self, texts: Any) -> None:
        self._lengths.update(pc.binary_length(texts).fill_null(-1).to_numpy())
        known = texts.drop_null()
        if len(known):
            ends = np.frombuffer(known.buffers()[1], np.int32, len(known) + 1, known.offset * 4)
            self._bytes.update(known.buffers()[2][ends[0] : ends[-1]])
