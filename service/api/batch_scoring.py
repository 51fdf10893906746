"""POST /v1/score/batch: many customers at once, answered row by row while they are scored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from churn.contract.values import is_customer_id
from churn.scoring.fields import FieldError
from service.api.asgi_call import read_body
from service.api.batch_body import (
    NDJSON,
    RowLimits,
    collect_rows,
    in_slices,
    split_array,
    split_lines,
)
from service.api.batch_csv import CSV, customer_from, read_table, require_header, write_table
from service.api.json_response import JSON
from service.api.problems import ProblemError
from service.api.request_body import parse_json
from service.api.score_options import ScoreOptions
from service.api.worker_state import WorkerState

_encode = msgspec.json.Encoder().encode
_Answers = AsyncIterator[list[dict[str, Any]]]
_Decode = Callable[[Any], Any]


async def score_batch(state: WorkerState, request: Request, options: ScoreOptions) -> Response:
    """Scores a JSON array, one object a line, or a CSV table.

    A CSV table is answered as a JSON array. An `Accept` header that prefers CSV gets CSV for any body.

    Raises:
        FieldError: the header of the table is not the contract's.
        ProblemError: the body has too many rows, or none can be made out.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    rows, decode = await _read(state, await read_body(request), kind, options)
    answers = in_slices(
        _answer(state, decode, row, number, options) for number, row in enumerate(rows, start=1)
    )
    if prefers_csv(",".join(request.headers.getlist("accept"))):
        name = state.pool.production.contract.id.name
        return StreamingResponse(write_table(answers, name), media_type=CSV)
    if kind == NDJSON:
        return StreamingResponse(_write_lines(answers), media_type=NDJSON)
    return StreamingResponse(_write_array(answers), media_type=JSON)


def prefers_csv(accept: str) -> bool:
    """Whether an `Accept` header names CSV, and gives no other form of an answer more weight."""
    weights = {CSV: 0.0, JSON: 0.0, NDJSON: 0.0}
    for part in accept.lower().split(","):
        media_type, *parameters = (each.strip() for each in part.split(";"))
        if media_type in weights:
            weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
            weights[media_type] = float(weight) if weight.replace(".", "", 1).isdecimal() else 0.0
    return weights[CSV] > 0 and weights[CSV] >= max(weights.values())


async def _read(
    state: WorkerState, body: bytes, kind: str, options: ScoreOptions
) -> tuple[Sequence[Any], _Decode]:
    """Returns the rows, not yet decoded, and what decodes them."""
    limits = RowLimits(state.settings.max_batch_rows, state.settings.max_body_bytes)
    if kind != CSV:
        split = split_lines if kind == NDJSON else split_array
        return await collect_rows(split(body, limits), limits), parse_json
    table = read_table(body, limits)
    names = await asyncio.to_thread(next, table)  # the whole text is looked through first
    assert isinstance(names, list)  # noqa: S101 - it gives all others their length
    scorer = state.pool.production.scorer
    ignored = scorer.contract.unscored if options.ignore else ()
    require_header(names, scorer.row_scorer.encoder, ignored)
    return await collect_rows(table, limits), partial(customer_from, names)


def _answer(
    state: WorkerState, decode: _Decode, row: Any, number: int, options: ScoreOptions
) -> dict[str, Any]:
    """Returns a row's score or error, with the customer's id if the row has one."""
    contract = state.pool.production.contract
    answer: dict[str, Any] = {"row": number}
    try:
        customer = options.without_ignored(decode(row), contract)
        if type(customer) is dict and is_customer_id(customer.get(contract.id.name)):
            # First, so that an answer's own names win over a contract's.
            answer = {contract.id.name: customer[contract.id.name]} | answer
        return answer | msgspec.structs.asdict(state.score_customer(customer, "batch"))
    except FieldError as error:
        return answer | {"error": ProblemError.from_field_error(error).content()}
    except ProblemError as error:
        return answer | {"error": error.content()}


async def _write_lines(answers: _Answers) -> AsyncIterator[bytes]:
    async for part in answers:
        yield b"".join(_encode(answer) + b"\n" for answer in part)


async def _write_array(answers: _Answers) -> AsyncIterator[bytes]:
    before = b"["
    async for part in answers:
        if part:
            yield before + b",".join(map(_encode, part))
            before = b","
    yield b"[]" if before == b"[" else b"]"
