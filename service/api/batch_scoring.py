"""POST /v1/score/batch: many customers at once, answered row by row while they are scored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from churn.scoring.fields import FieldError
from service.api.problems import ProblemError
from service.api.request_body import parse_json, read_request_body
from service.api.worker_state import WorkerState

NDJSON = "application/x-ndjson"
_ROWS_AT_ONCE = 32
"""Rows scored before other requests are answered in between: well under a millisecond."""
_encode = msgspec.json.Encoder().encode
_split_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


async def score_batch(state: WorkerState, request: Request) -> Response:
    """Scores a JSON array, or one object a line.

    Raises:
        ProblemError: the body is too large, has too many rows, or is no array.
    """
    body = await read_request_body(request, state.settings.max_batch_bytes)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    rows = _read_lines(body) if media_type == NDJSON else _read_array(body)
    limit = state.settings.max_batch_rows
    if len(rows) > limit:
        raise ProblemError(
            413, f"The batch has {len(rows):,} rows; {limit:,} are allowed. Send several batches.",
            field="body", allowed=f"{limit} rows",
        )  # fmt: skip
    if media_type == NDJSON:
        return StreamingResponse(_write_lines(state, rows), media_type=NDJSON)
    return StreamingResponse(_write_array(state, rows), media_type="application/json")


def _read_lines(body: bytes) -> Sequence[Any]:
    return [line for line in body.split(b"\n") if line.strip()]


def _read_array(body: bytes) -> Sequence[Any]:
    """Returns the array's rows, not decoded if possible: an error in one row spoils no other."""
    if body.lstrip()[:1] != b"[":
        raise ProblemError(
            422, "The batch is no JSON array. Send an array of customers, or one customer a line "
            f"as {NDJSON}.", field="body", allowed="a JSON array",
        )  # fmt: skip
    try:
        return _split_array(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        rows = parse_json(body)
        assert isinstance(rows, list)  # noqa: S101 - it begins with a bracket
        return rows


async def _write_lines(state: WorkerState, rows: Sequence[Any]) -> AsyncIterator[bytes]:
    async for part in _answers(state, rows):
        yield b"\n".join(part) + b"\n"


async def _write_array(state: WorkerState, rows: Sequence[Any]) -> AsyncIterator[bytes]:
    before = b"["
    async for part in _answers(state, rows):
        yield before + b",".join(part)
        before = b","
    yield b"[]" if before == b"[" else b"]"


async def _answers(state: WorkerState, rows: Sequence[Any]) -> AsyncIterator[list[bytes]]:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[start : start + _ROWS_AT_ONCE]
        yield [_answer(state, row, number) for number, row in enumerate(some, start=start + 1)]
        await asyncio.sleep(0)


def _answer(state: WorkerState, row: Any, number: int) -> bytes:
    try:
        customer = parse_json(bytes(row)) if isinstance(row, bytes | msgspec.Raw) else row
        answer = state.score_customer(customer, "batch")
    except FieldError as error:
        problem = ProblemError.from_field_error(error)
    except ProblemError as error:
        problem = error
    else:
        return _encode({"row": number, **msgspec.structs.asdict(answer)})
    return _encode({"row": number, "error": problem.content()})
