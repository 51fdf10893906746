"""What a source is: a table that is read chunk by chunk, whatever it is stored in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from churn.data.dataset import Format
from churn.data.intake.parquet_text import as_texts
from churn.data.intake.raw import limited
from churn.errors import InputError

CHUNK_ROWS = 1 << 16
"""Rows of a chunk, unless the reader asks for another number."""


class UnreachableTableError(InputError):
    """The place of a table cannot be reached now; nothing is known against its content."""


@dataclass(frozen=True)
class TableChunk:
    """Some rows of a table that follow one another.

    Attributes:
        number: Place among the source's chunks, from 0.
        first_row: Place of the first row in the whole table, from 0.
        table: A pyarrow table: texts from CSV, the stored types from parquet and SQL.
    """

    number: int
    first_row: int
    table: Any


class TableSource(Protocol):
    """A table behind an address."""

    @property
    def shown(self) -> str:
        """The address as it may be shown and stored: without user, password and options."""

    @property
    def format(self) -> Format:
        """What the table is stored as."""

    @property
    def size(self) -> int:
        """Bytes that are stored; of a query, of its rows once they are read."""

    @property
    def ordered(self) -> bool:
        """Whether its rows have an order of their own, as a file's have and a table's have not."""

    def digest(self) -> str:
        """SHA-256 of the content: of a file's bytes; of a query, its text and its rows.

        Raises:
            InputError: the source cannot be read.
        """

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[TableChunk]:
        """Reads the table from its beginning; the memory needed does not grow with its rows.

        The chunks of one content are always the same ones. Each has at most `rows` rows, and only the
        last of a CSV file, a query or a parquet row group has fewer.

        Raises:
            UnreachableTableError: its place cannot be reached now; what was yielded stands.
            InputError: it holds no table, or changed while it was read: then what was yielded is not
                to be kept.
        """


def regrouped(pieces: Iterable[Any], rows: int) -> Iterator[Any]:
    """Tables or record batches of one schema as tables of `rows` rows, the last maybe fewer."""
    waiting: list[Any] = []
    count, empty = 0, None
    for piece in pieces:
        table = piece if isinstance(piece, pa.Table) else pa.Table.from_batches([piece])
        while count + table.num_rows >= rows:
            head = table.slice(0, rows - count)
            yield pa.concat_tables([*waiting, head]).combine_chunks()
            table, waiting, count = table.slice(rows - count), [], 0
            empty = False
        if table.num_rows:
            waiting.append(table)
            count += table.num_rows
        empty = table if empty is None else empty
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()
    elif empty:  # a table without rows has columns
        yield empty


def numbered(tables: Iterable[Any]) -> Iterator[TableChunk]:
    """Tables with their places."""
    first = 0
    for number, table in enumerate(tables):
        yield TableChunk(number, first, table)
        first += table.num_rows


def whole_table(source: TableSource, largest: int | None = None) -> Any:
    """All of a source as one table of texts, as `churn.data.parse` takes it.

    Raises:
        InputError: it cannot be read, has more than `largest` bytes or no rows, or a column has no
            texts.
    """
    tables = limited((chunk.table for chunk in source.chunks()), source.shown, largest)
    texts = [as_texts(table) for table in tables]
    if not texts:
        raise InputError(f"{source.shown} has no rows. Name a table with customers.")
    return pa.concat_tables(texts)
