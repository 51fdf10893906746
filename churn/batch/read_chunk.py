"""From a chunk of a table to typed columns of the rows that the contract allows, and the others.

Whole columns are read at once. A row with any value that is not plainly allowed is read again by
`RowEncoder`, the code that reads requests: it alone refuses, so a row is refused here exactly where
the service refuses it, and for the same reason.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn.batch.arrow_arrays import number_array, numpy_array, text_array
from churn.batch.plain_columns import plain_column, trimmed
from churn.contract import CodedColumn, DataContract, NumberColumn
from churn.contract.values import (
    LONGEST_ID,
    PLAIN_ID,
    CategoryReader,
    NumberReader,
    RefusedValue,
    is_blank,
    is_customer_id,
)
from churn.features.encoding import Columns, Floats
from churn.scoring.encoder import RowEncoder
from churn.scoring.fields import FieldError

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]

REJECTED = pa.schema(
    [("row", pa.int64()), ("field", pa.string()), ("reason", pa.string()), ("raw", pa.string())]
)
"""Columns of the rows that are set aside: number in the input from 1, field, why, the row as JSON."""
NO_ROWS = pa.table([pa.nulls(0, kind) for kind in REJECTED.types], schema=REJECTED)
_NO_TEXT, _EMPTY = pa.nulls(1, pa.string())[0], text_array([""])[0]
_FALSE, _NAN = number_array(np.array([False]))[0], number_array(np.array([np.nan]))[0]
# Digits that Arrow and Python read as the same float; whatever else spells a number is read singly.
_DIGITS = r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$"


@dataclass(frozen=True)
class ReadChunk:
    """A chunk, read.

    Attributes:
        columns: the contract's features of the allowed rows, as `Scorer.score_many` takes them.
        rows: the allowed rows' numbers in the input, counted from 1.
        customers: their ids as texts, a pyarrow array; nulls where the table has no ids.
        rejected: the other rows, by `REJECTED`.
    """

    columns: Columns
    rows: Rows
    customers: Any
    rejected: Any


@dataclass(frozen=True)
class EveryRow:
    """A chunk, read, whatever its rows are worth.

    Attributes:
        columns: the contract's features of every row; a value that is not allowed is NaN, or the
            code -1.
        customers: ids as texts, a pyarrow array; null where there is none.
        allowed: which rows the contract allows.
        refused: place of another row -> its first field at fault, and why.
        whole: the table's columns as they came, by name.
    """

    columns: Columns
    customers: Any
    allowed: Mask
    refused: Mapping[int, tuple[str, str]]
    whole: Mapping[str, Any]


class ChunkReader:
    """Reads chunks by a contract; holds nothing of any of them."""

    def __init__(self, contract: DataContract) -> None:
        self.contract = contract
        self._encoder = RowEncoder(contract)
        self._categories = {each.name: CategoryReader(each) for each in contract.coded}
        self._numbers = {each.name: NumberReader(each) for each in contract.numbers}

    def require_columns(self, names: Collection[str]) -> None:
        """Checks the names of a table's columns.

        Raises:
            FieldError: one is missing or unknown.
        """
        unscored = self.contract.unscored
        self._encoder.require_fields([name for name in names if name not in unscored])

    def read(
        self, table: Any, first_row: int, repeated: Mapping[int, int] | None = None
    ) -> ReadChunk:
        """Reads a pyarrow table.

        Args:
            table: rows of the input, with the contract's columns in any order.
            first_row: number of its first row in the input, counted from 1.
            repeated: row number -> the earlier row that has the same id.

        Raises:
            InputError: a column is missing, unknown, or of a type that no value has.
        """
        read = self.read_every_row(table)
        kept, refused = read.allowed.copy(), dict(read.refused)
        for row, first in (repeated or {}).items():
            refused.setdefault(row - first_row, (self.contract.id.name, _repeated(first)))
            kept[row - first_row] = False
        rows = np.arange(first_row, first_row + table.num_rows, dtype=np.int64)
        if not refused:  # nothing is copied
            return ReadChunk(read.columns, rows, read.customers, NO_ROWS)
        return ReadChunk(
            {name: values[kept] for name, values in read.columns.items()},
            rows[kept],
            read.customers.filter(number_array(kept)),
            _rejected(read.whole, rows, refused),
        )

    def read_every_row(self, table: Any) -> EveryRow:
        """Reads a pyarrow table, and keeps the rows that the contract does not allow.

        Raises:
            InputError: as `read`.
        """
        whole = {
            name.strip(): plain_column(table[name], name, coded=name.strip() in self._categories)
            for name in table.column_names
        }
        self.require_columns(whole)
        columns, sure = self._read_columns(whole, table.num_rows)
        customers, wrong_id = _customers(whole.get(self.contract.id.name), table.num_rows)
        refused = self._read_singly(whole, columns, np.flatnonzero(~sure))
        for place in np.flatnonzero(wrong_id):
            refused[int(place)] = (
                self.contract.id.name,
                self._id_fault(customers[int(place)].as_py()),
            )
        allowed = np.ones(table.num_rows, np.bool_)
        allowed[list(refused)] = False
        return EveryRow(columns, customers, allowed, refused, whole)

    def _read_columns(
        self, whole: Mapping[str, Any], count: int
    ) -> tuple[dict[str, NDArray[Any]], Mask]:
        """Every feature's values, and which rows hold nothing but plainly allowed ones."""
        columns: dict[str, NDArray[Any]] = {}
        for column in self.contract.features:
            given = whole.get(column.name, pa.nulls(count))
            if isinstance(column, NumberColumn):
                columns[column.name] = self._allowed_numbers(column, given)
            else:
                columns[column.name] = self._codes(column, given)
        for column in self.contract.numbers:
            self._fill_blanks(column, whole, columns)
        sure = np.ones(count, np.bool_)
        for values in columns.values():
            sure &= ~np.isnan(values) if values.dtype.kind == "f" else values >= 0
        return columns, sure

    def _codes(self, column: CodedColumn, given: Any) -> NDArray[np.int8]:
        """Category codes, int8[n]; -1 where the value is none."""
        reader = self._categories[column.name]
        coded = given.dictionary_encode()
        codes = []
        for value in (*coded.dictionary.to_pylist(), None):  # the last is for nulls
            try:
                codes.append(reader[value])
            except RefusedValue:
                codes.append(-1)
        places = coded.indices
        if places.null_count:
            last = number_array(np.array([len(codes) - 1])).cast(places.type)[0]
            places = pc.fill_null(places, last)
        found: NDArray[np.int8] = np.array(codes, np.int8).take(numpy_array(places))
        return found

    def _allowed_numbers(self, column: NumberColumn, given: Any) -> Floats:
        """Numbers within the column's range, float64[n]; NaN where the value may be none."""
        reader = self._numbers[column.name]
        if pa.types.is_boolean(given.type):
            return np.full(len(given), np.nan)
        if pa.types.is_string(given.type):
            texts = trimmed(given)
            digits = pc.match_substring_regex(texts, _DIGITS)
            given = pc.if_else(digits, texts, _NO_TEXT)
        floats = pc.fill_null(given.cast(pa.float64(), safe=False), _NAN)
        values: Floats = numpy_array(floats) + 0.0  # -0.0 becomes 0.0
        allowed = (values >= reader.minimum) & (values <= reader.maximum)
        if column.integer:
            allowed &= values == np.floor(values)
        values[~allowed] = np.nan
        return values

    def _fill_blanks(
        self, column: NumberColumn, whole: Mapping[str, Any], columns: Columns
    ) -> None:
        """Puts in what an empty cell means where the contract says so; other blanks stay NaN."""
        rule, given = column.blank, whole.get(column.name)
        if rule is None or rule.only_when not in self._numbers:
            return
        values = columns[column.name]
        empty: Mask = np.isnan(values) & (columns[rule.only_when] == rule.equals)
        if given is not None:
            empty &= _is_empty(given)
        values[empty] = rule.value + 0.0

    def _read_singly(
        self, whole: Mapping[str, Any], columns: dict[str, NDArray[Any]], places: NDArray[np.int64]
    ) -> dict[int, tuple[str, str]]:
        """Reads rows as requests are read: fills their values in, or returns field and reason."""
        scored = {name: each for name, each in whole.items() if name not in self.contract.unscored}
        refused: dict[int, tuple[str, str]] = {}
        if not len(places):
            return refused
        for place, row in zip(places.tolist(), _row_values(scored, places), strict=True):
            try:
                values = self._encoder.encode(row)
            except FieldError as error:
                refused[place] = error.field, str(error)
                continue
            for name, value in zip(self._encoder.names, values, strict=True):
                columns[name][place] = value
        return refused

    def _id_fault(self, customer: str | None) -> str:
        name = self.contract.id.name
        if is_blank(customer):
            return f"Field '{name}': the customer's id is blank. Give it."
        return f"Field '{name}': this cannot be an id. Give at most {LONGEST_ID} characters."


def customer_ids(column: Any) -> Any:
    """A table's ids as texts without spaces around them, a pyarrow array; null where it is blank."""
    if not pa.types.is_string(column.type):
        column = column.cast(pa.string())
    texts = trimmed(column)
    return pc.if_else(pc.equal(texts, _EMPTY), _NO_TEXT, texts)


def _customers(column: Any | None, count: int) -> tuple[Any, Mask]:
    """The customers' ids, and which of them cannot be one; a table without ids has no wrong one."""
    if column is None:
        return pa.nulls(count, pa.string()), np.zeros(count, np.bool_)
    if pa.types.is_string(column.type) and _are_plain(column):
        return column, np.zeros(count, np.bool_)
    texts = customer_ids(column)
    if not (pa.types.is_string(column.type) or pa.types.is_integer(column.type)):
        return texts, np.ones(count, np.bool_)
    plain = pc.fill_null(pc.match_substring_regex(texts, PLAIN_ID), _FALSE)
    wrong: Mask = ~numpy_array(plain)
    for place in np.flatnonzero(wrong):
        wrong[place] = not is_customer_id(texts[int(place)].as_py())
    return texts, wrong


def _are_plain(texts: Any) -> bool:
    """Whether every text matches `PLAIN_ID`, by a look at all of their bytes at once."""
    if texts.null_count or not len(texts):
        return False
    _, offsets, content = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    lengths, letters = np.diff(ends), np.frombuffer(content or b"", np.uint8)[ends[0] : ends[-1]]
    return bool(
        lengths.min() > 0
        and lengths.max() <= LONGEST_ID
        and letters.min() >= ord("!")
        and letters.max() <= ord("~")
    )


def _is_empty(column: Any) -> Mask:
    empty = column.is_null()
    if pa.types.is_string(column.type):
        empty = pc.or_(empty, pc.fill_null(pc.equal(trimmed(column), _EMPTY), _FALSE))
    return numpy_array(empty)


def _repeated(first: int) -> str:
    return f"Row {first:,} has the same id, and a customer is scored once. Keep one of the rows."


def _row_values(columns: Mapping[str, Any], places: NDArray[np.int64]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pa.table(dict(columns)).take(number_array(places)).to_pylist()
    return rows


def _as_json(row: Mapping[str, Any]) -> str:
    """A row as JSON; NaN and infinity, for which JSON has no number, as texts."""
    try:
        return json.dumps(row, ensure_ascii=False, allow_nan=False)
    except ValueError:
        plain = {
            name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in row.items()
        }
        return json.dumps(plain, ensure_ascii=False)


def _rejected(whole: Mapping[str, Any], rows: Rows, refused: Mapping[int, tuple[str, str]]) -> Any:
    places = np.array(sorted(refused), np.int64)
    raw = [_as_json(row) for row in _row_values(whole, places)]
    faults = [refused[place] for place in places.tolist()]
    fields, reasons = [field for field, _ in faults], [reason for _, reason in faults]
    texts = (text_array(each) for each in (fields, reasons, raw))
    return pa.table([number_array(rows[places]), *texts], schema=REJECTED)
