"""The rows of a batch's body, cut apart and counted before one of them is decoded.

A row is cut out by its brackets and quotes alone, so that a value that is no strict JSON, as NaN, spoils
its own row and no other. Each row may have the bytes of a request about one customer.
"""

from __future__ import annotations

import asyncio
import re
from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Iterable, Iterator
from time import perf_counter
from typing import NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from service.api.problems import ProblemError
from service.api.request_body import require_no_wrapper

NDJSON = "application/x-ndjson"
Item = TypeVar("Item")

_SLICE_SECONDS = 0.001
_MOST_STEPS = 1000
"""From bracket to bracket within a row; a customer takes two."""
_slice_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
_BLANKS = re.compile(rb"[ \t\r\n]*+")
_LINE = re.compile(rb"\s*+([^\n]*+)")
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*"'
_VALUE = re.compile(rb'(?s:[^][{}",\s]++|' + _TEXT + rb")")
_TO_BRACKET = re.compile(
    rb'(?s:[^][{}"]*+(?:' + _TEXT + rb'[^][{}"]*+)*(?:(?P<open>[\[{]++)|(?P<close>[\]}]++)))'
)


class RowLimits(NamedTuple):
    """How many rows a batch may have, and how many bytes each."""

    rows: int
    row_bytes: int


async def in_slices(items: Iterable[Item]) -> AsyncIterator[list[Item]]:
    """Yields what takes about a millisecond to make; other requests are answered in between.

    However many requests are made in slices, each pass of the event loop makes one of theirs.
    """
    lock = _slice_locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    left, is_over = iter(items), False
    while not is_over:
        part: list[Item] = []
        async with lock:
            end = perf_counter() + _SLICE_SECONDS
            for item in left:
                part.append(item)
                if perf_counter() > end:
                    break
            else:
                is_over = True
            await asyncio.sleep(0)  # the next one's turn is in the next pass
        yield part


async def collect_rows(rows: Iterable[Item], limits: RowLimits) -> list[Item]:
    """Returns the rows of a batch.

    Raises:
        ProblemError: 413, as soon as there is one too many.
    """
    collected: list[Item] = []
    async for part in in_slices(rows):
        collected += part
        if len(collected) > limits.rows:
            raise ProblemError(
                413, f"The batch has more than the {limits.rows:,} rows allowed. Send several batches.",
                field="body", allowed=f"{limits.rows} rows",
            )  # fmt: skip
    return collected


def split_lines(body: bytes, limits: RowLimits) -> Iterator[bytes]:
    """Yields each line that is not blank.

    Raises:
        ProblemError: 413, a line is too long.
    """
    place, number = len(BOM_UTF8) if body.startswith(BOM_UTF8) else 0, 0
    while (line := _LINE.match(body, place)) and line[1]:
        place, number = line.end(), number + 1
        yield _within(line[1], number, limits)


def split_array(body: bytes, limits: RowLimits) -> Iterator[bytes]:
    """Yields each row of a JSON array.

    Raises:
        ProblemError: 422, the body is no array; 400, it is cut off or its rows cannot be told apart;
            413, a row is too large.
    """
    place = _after_blanks(body, len(BOM_UTF8) if body.startswith(BOM_UTF8) else 0)
    if body[place : place + 1] != b"[":
        require_no_wrapper(body[place:])
        raise ProblemError(
            422, "The batch is no JSON array. Send an array of customers, one customer a line as "
            f"{NDJSON}, or a table as text/csv.", field="body", allowed="a JSON array",
        )  # fmt: skip
    place = _after_blanks(body, place + 1)
    number, between = 0, b","
    if body[place : place + 1] == b"]":
        place, between = place + 1, b"]"
    while between == b",":
        number += 1
        start, row = place, _row(body, place, number, limits)
        place = _after_blanks(body, place + len(row))
        between = body[place : place + 1]
        if between not in (b",", b"]"):
            raise _unreadable(number, start, cut_off=not between)
        yield row
        place = _after_blanks(body, place + 1)
    if place < len(body):
        raise _unreadable(number + 1, place)


def row_too_large(number: int, limits: RowLimits) -> ProblemError:
    """Returns the problem of a row, or of the header before the first one: 413."""
    which = f"Row {number}" if number else "The header"
    return ProblemError(
        413, f"{which} is larger than the {limits.row_bytes:,} bytes allowed for a customer. "
        "Send the customer's fields alone.", field="body", allowed=f"{limits.row_bytes} bytes a row",
    )  # fmt: skip


def _row(body: bytes, place: int, number: int, limits: RowLimits) -> bytes:
    """Returns the row that begins here: a value, or all up to the bracket that closes it."""
    end = min(len(body), place + limits.row_bytes + 1)
    if body[place : place + 1] not in (b"{", b"["):
        value = _VALUE.match(body, place, end)
        if value is None:
            raise _unreadable(number, place, cut_off=place == len(body))
        return _within(value[0], number, limits)
    depth, at, steps = 0, place, 0
    while step := _TO_BRACKET.match(body, at, end):
        at, steps = step.end(), steps + 1
        if steps > _MOST_STEPS:
            raise ProblemError(
                422, f"Row {number} holds hundreds of lists and objects. Send the customer's fields "
                "alone.", field="body", allowed="one object a row",
            )  # fmt: skip
        if step["open"]:
            depth += len(step["open"])
        elif depth > len(step["close"]):
            depth -= len(step["close"])
        else:
            at -= len(step["close"]) - depth
            return _within(body[place:at], number, limits)
    if end < len(body):
        raise row_too_large(number, limits)
    raise _unreadable(number, place, cut_off=True)


def _after_blanks(body: bytes, place: int) -> int:
    blanks = _BLANKS.match(body, place)
    return blanks.end() if blanks else place


def _within(row: bytes, number: int, limits: RowLimits) -> bytes:
    if len(row) > limits.row_bytes:
        raise row_too_large(number, limits)
    return row


def _unreadable(number: int, place: int, *, cut_off: bool = False) -> ProblemError:
    fault = "the body ends within it" if cut_off else "its end cannot be found"
    return ProblemError(
        400, f"The body is not JSON: row {number}, from byte {place + 1:,} on, cannot be told from "
        f"the others; {fault}. Send a JSON array of customers.", field="body",
    )  # fmt: skip
