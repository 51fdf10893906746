"""Rows of PostgreSQL by COPY, whose text Arrow reads: no Python object is made of each value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from queue import Queue
from threading import Thread
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from churn.data.sources.sql_columns import column_types, unreadable_column

_DECIMAL, _TEXTS = 1700, frozenset({18, 19, 25, 1042, 1043})
# A time with a zone may have an offset in seconds, which Arrow does not read; psycopg2 does.
_ZONED = pa.timestamp("us", "UTC")
# What psycopg2 makes of dates and times without an end.
_ENDS = {
    pa.date32(): {"infinity": "9999-12-31", "-infinity": "0001-01-01"},
    pa.timestamp("us"): {
        "infinity": "9999-12-31 23:59:59.999999",
        "-infinity": "0001-01-01 00:00:00",
    },
}


def can_copy(description: Sequence[Sequence[Any]]) -> bool:
    """Whether COPY writes every column of a cursor as texts that are read here.

    Times with a zone, JSON, arrays and rarer types are left to the driver's objects.
    """
    types = column_types("postgresql", description)
    return bool(types) and all(
        column[1] in _TEXTS or column[1] == _DECIMAL if kind == pa.string() else kind != _ZONED
        for column, kind in zip(description, types, strict=True)
    )


def copied_batches(
    driver: Any, statement: str, description: Sequence[Sequence[Any]], rows: int
) -> Iterator[Any]:
    """A query's rows as record batches, within the driver's transaction.

    Args:
        driver: A connection of psycopg2.
        statement: The query.
        description: The columns of a cursor of it.
        rows: How many rows a batch has, the last maybe fewer.

    Raises:
        InputError: a value is not of its column's type.
        psycopg2.Error: the database refused, at the start or in the middle.
    """
    names = [column[0] for column in description]
    types = column_types("postgresql", description)
    yield pa.RecordBatch.from_arrays([pa.array([], kind) for kind in types], names=names)
    copying = _Copying(driver, statement, rows)
    copying.start()
    try:
        while block := copying.next_block():
            yield _parsed(block, names, types)
    finally:
        copying.stop()


class _Copying(Thread):
    """Takes rows from the driver, which hands each to `write`, at most two blocks ahead."""

    def __init__(self, driver: Any, statement: str, rows: int) -> None:
        super().__init__(daemon=True)
        self._driver, self._statement, self._rows = driver, statement, rows
        self._lines: list[bytes] = []
        self._blocks: Queue[bytes | Exception] = Queue(maxsize=1)
        self._stopped = self._ended = False

    def run(self) -> None:
        last: bytes | Exception = b""
        try:
            with self._driver.cursor() as cursor:
                command = f"COPY ({self._statement}\n) TO STDOUT (FORMAT csv, ENCODING 'UTF8')"
                cursor.copy_expert(command, self)
            if self._lines:
                self._blocks.put(b"".join(self._lines))
        except Exception as error:  # noqa: BLE001 - raised again by the thread that reads
            last = error
        self._blocks.put(last)

    def write(self, line: bytes) -> None:
        """Takes one row: the protocol gives them one by one."""
        if self._stopped:
            raise InterruptedError
        self._lines.append(line)
        if len(self._lines) == self._rows:
            self._blocks.put(b"".join(self._lines))
            self._lines = []

    def next_block(self) -> bytes:
        """The text of the next rows; empty after the last."""
        block = self._blocks.get()
        self._ended = not block or isinstance(block, Exception)
        if isinstance(block, Exception):
            raise block
        return block

    def stop(self) -> None:
        """Ends the thread, and the query if nobody reads its other rows."""
        self._stopped = True
        if not self._ended:
            self._driver.cancel()
        while self.is_alive():
            if not self._blocks.empty():  # it waits for a place
                self._blocks.get()
            self.join(0.01)


def _parsed(block: bytes, names: Sequence[str], types: Sequence[Any]) -> Any:
    places = [str(place) for place in range(len(names))]  # a query may name two columns alike
    read = [pa.string() if kind in _ENDS else kind for kind in types]
    try:
        table = arrow_csv.read_csv(
            BytesIO(block),
            arrow_csv.ReadOptions(
                use_threads=False, block_size=len(block) + 1, column_names=places
            ),
            arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            # A null stands without quotes, an empty text within.
            arrow_csv.ConvertOptions(
                column_types=dict(zip(places, read, strict=True)),
                null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
                true_values=["t"], false_values=["f"],
            ),
        )  # fmt: skip
    except pa.ArrowException:
        raise unreadable_column(", ".join(names)) from None
    columns = [
        _moments(column, kind, name) if kind in _ENDS else column
        for column, kind, name in zip(table.columns, types, names, strict=True)
    ]
    columns = [column.combine_chunks() for column in columns]
    return pa.RecordBatch.from_arrays(columns, names=list(names))


def _moments(column: Any, kind: Any, name: str) -> Any:
    for text, value in _ENDS[kind].items():
        column = pc.if_else(pc.equal(column, text), value, column)
    try:
        return column.cast(kind)
    except pa.ArrowException:
        raise unreadable_column(name) from None
