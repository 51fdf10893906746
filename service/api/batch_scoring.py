"""POST /v1/score/batch: many customers at once, answered row by row while they are scored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from churn.contract.values import is_customer_id
from churn.scoring.fields import FieldError
from service.api.batch_body import (
    NDJSON,
    RowLimits,
    collect_rows,
    in_slices,
    split_array,
    split_lines,
)
from service.api.problems import ProblemError
from service.api.request_body import parse_json
from service.api.score_options import ScoreOptions
from service.api.worker_state import WorkerState

_encode = msgspec.json.Encoder().encode


async def score_batch(state: WorkerState, request: Request, options: ScoreOptions) -> Response:
    """Scores a JSON array, or one object a line.

    Raises:
        ProblemError: the body is too large, has too many rows, or is no array.
    """
    settings = state.settings
    body = await request.body()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    limits = RowLimits(settings.max_batch_rows, settings.max_body_bytes)
    if media_type == NDJSON:
        rows = await collect_rows(split_lines(body, limits), limits)
        return StreamingResponse(_write_lines(state, rows, options), media_type=NDJSON)
    rows = await collect_rows(split_array(body, limits), limits)
    return StreamingResponse(_write_array(state, rows, options), media_type="application/json")


async def _write_lines(
    state: WorkerState, rows: Sequence[bytes], options: ScoreOptions
) -> AsyncIterator[bytes]:
    async for part in _answers(state, rows, options):
        yield b"".join(answer + b"\n" for answer in part)


async def _write_array(
    state: WorkerState, rows: Sequence[bytes], options: ScoreOptions
) -> AsyncIterator[bytes]:
    before = b"["
    async for part in _answers(state, rows, options):
        if part:
            yield before + b",".join(part)
            before = b","
    yield b"[]" if before == b"[" else b"]"


def _answers(
    state: WorkerState, rows: Sequence[bytes], options: ScoreOptions
) -> AsyncIterator[list[bytes]]:
    return in_slices(
        _encode(_answer(state, row, number, options)) for number, row in enumerate(rows, start=1)
    )


def _answer(state: WorkerState, row: bytes, number: int, options: ScoreOptions) -> dict[str, Any]:
    """Returns a row's score or error, with the customer's id if the row has one."""
    contract = state.pool.production.contract
    answer: dict[str, Any] = {"row": number}
    try:
        customer = options.without_ignored(parse_json(row), contract)
        if type(customer) is dict and is_customer_id(customer.get(contract.id.name)):
            # First, so that an answer's own names win over a contract's.
            answer = {contract.id.name: customer[contract.id.name]} | answer
        return answer | msgspec.structs.asdict(state.score_customer(customer, "batch"))
    except FieldError as error:
        return answer | {"error": ProblemError.from_field_error(error).content()}
    except ProblemError as error:
        return answer | {"error": error.content()}
