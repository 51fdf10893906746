"""Routes about one customer as plain ASGI: what FastAPI does for a route costs more than a score.

They are routes of the FastAPI application, too: the OpenAPI document has their schemas, and their
problems look like any other route's. A request for a score that arrived whole takes a still shorter
path; see `service.api.fast_path.request_batcher`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from time import perf_counter
from typing import Any

from service.api.explanation import ExplainOptions, explain_customer
from service.api.fast_path.raw_response import (
    EXPLAIN,
    SCORE,
    encode,
    ok_response,
    problem_response,
    record_response,
)
from service.api.request_body import (
    ClientDisconnectedError,
    Receive,
    Scope,
    Send,
    parse_json,
    read_body,
)
from service.api.request_headers import read_head
from service.api.score_options import ScoreOptions, parse_options
from service.api.worker_state import WorkerState

_Answer = tuple[bytes, str]
"""A body, and the prediction's id."""


async def _score(state: WorkerState, row: Any, query: bytes) -> _Answer:
    options = parse_options(query, ScoreOptions)
    contract = state.pool.production.contract
    answer = state.score_customer(options.without_ignored(row, contract), "api")
    return encode(answer), answer.prediction_id


async def _explain(state: WorkerState, row: Any, query: bytes) -> _Answer:
    options = parse_options(query, ExplainOptions)
    row = options.without_ignored(row, state.pool.production.contract)
    answer = await explain_customer(state, row, options)
    return encode(answer), answer["prediction_id"]


async def _respond(
    path: str,
    answer: Callable[[WorkerState, Any, bytes], Awaitable[_Answer]],
    state: WorkerState,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    began = perf_counter()
    head = read_head(scope["headers"])
    try:
        state.check_key(head.key)
        state.check_capacity()
        limit = state.settings.max_body_bytes
        row = parse_json(await read_body(receive, limit, head.content_length))
        body, prediction_id = await answer(state, row, scope["query_string"])
        response = ok_response(body, head.request_id or prediction_id)
    except ClientDisconnectedError:
        state.metrics.count_response(path, 0, perf_counter() - began)
        return
    except Exception as error:  # noqa: BLE001 - the caller gets an answer whatever happens
        response = problem_response(state, path, error, head.request_id)
    start = {"type": "http.response.start", "status": response.status, "headers": response.headers}
    await send(start)
    await send({"type": "http.response.body", "body": response.body})
    record_response(state, path, response, perf_counter() - began)


ROUTES: dict[str, Callable[[WorkerState, Scope, Receive, Send], Awaitable[None]]] = {
    SCORE: partial(_respond, SCORE, _score),
    EXPLAIN: partial(_respond, EXPLAIN, _explain),
}
"""The routes by their path."""
