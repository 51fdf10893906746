"""Routes about one customer as plain ASGI: what FastAPI would do for them costs more than a score.

They are FastAPI's routes all the same: their schemas stand in the OpenAPI document, and every refusal
looks like any other route's. A score whose request came whole goes by a way that is shorter still;
see `service.api.fast_path.request_batcher`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from time import perf_counter
from typing import Any, NamedTuple

import msgspec

from churn.scoring.fields import FieldError
from service.api.explanation import parse_explain_options, told
from service.api.problems import PROBLEM_JSON, ProblemError
from service.api.request_body import (
    ClientDisconnectedError,
    Receive,
    Scope,
    Send,
    decode,
    parse_json,
    read_body,
)
from service.api.worker_state import WorkerState, request_id_of
from service.core.log import log

SCORE, EXPLAIN = "/v1/score", "/v1/explain"
Plain = Callable[[WorkerState, Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
_Answer = tuple[bytes, str]
"""A body, and the prediction's id."""
encode = msgspec.json.Encoder().encode
_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", PROBLEM_JSON.encode())
_GOOD = 200


class RawResponse(NamedTuple):
    """An answer, good or not.

    Attributes:
        status: of HTTP.
        headers: all of them, but for those that the server adds to every answer.
        body: what is answered.
        request_id: that the caller gave, or the answer's own.
    """

    status: int
    headers: Headers
    body: bytes
    request_id: str


async def score(state: WorkerState, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers one customer's score."""
    await _answered(state, SCORE, _scored, scope, receive, send)


async def explain(state: WorkerState, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers one customer's score, its reasons, and what would lower the risk."""
    await _answered(state, EXPLAIN, _explained, scope, receive, send)


ROUTES: dict[str, Plain] = {SCORE: score, EXPLAIN: explain}


class Head(NamedTuple):
    """What a request's headers say.

    Attributes:
        declared: length of the body; 0 where none is declared.
        key: in `X-API-Key`; empty where there is none.
        request_id: that the caller gave; empty where it gave none fit to be repeated.
    """

    declared: int
    key: bytes
    request_id: str


def read_head(headers: Iterable[tuple[bytes, bytes]]) -> Head:
    """Reads a request's headers; whoever asked, and whatever for."""
    declared, key, request_id = 0, b"", ""
    for name, value in headers:
        if name == b"content-length":
            declared = int(value)
        elif name == b"x-api-key":
            key = value
        elif name == b"x-request-id":
            request_id = request_id_of(((name, value),)) or ""
    return Head(declared, key, request_id)


def check_key(state: WorkerState, head: Head, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuses whoever shows no key that is let in; the usual header is looked at first.

    Raises:
        ProblemError: 401.
    """
    if state.keys.required and not (head.key and state.keys.is_valid(head.key)):
        state.check_key(headers)


def parse_json_body(body: bytes) -> Any:
    """A body's JSON.

    Raises:
        ProblemError: it is none, or not strictly.
    """
    try:
        return decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return parse_json(body)


def good(body: bytes, request_id: str) -> RawResponse:
    """An answer with what was asked for."""
    return RawResponse(_GOOD, [_JSON, *_common(body, request_id)], body, request_id)


def refused(state: WorkerState, path: str, error: Exception, request_id: str) -> RawResponse:
    """An answer that says why there is none: a refusal's reason, and 500 for whatever else it was."""
    request_id = request_id or state.new_id()
    if isinstance(error, FieldError):
        error = ProblemError.of(error)
    elif not isinstance(error, ProblemError):
        # Its type and no more: an exception's words may hold a customer's values.
        log(
            "error", "request_failed", route=path, request_id=request_id, error=type(error).__name__
        )
        error = ProblemError(
            500, "The service failed at this request. Name the request id when asking."
        )
    body = error.body(request_id)
    more = [(name.encode(), value.encode()) for name, value in error.headers.items()]
    return RawResponse(
        error.status, [_PROBLEM, *more, *_common(body, request_id)], body, request_id
    )


def record_response(state: WorkerState, path: str, reply: RawResponse, seconds: float) -> None:
    """Counts an answer, and logs it where it is to be logged."""
    state.metrics.answered(path, reply.status, seconds)
    if reply.status != _GOOD or state.settings.access_log:
        log(
            "info", "answered", route=path, status=reply.status, request_id=reply.request_id,
            seconds=round(seconds, 6),
        )  # fmt: skip


def _common(body: bytes, request_id: str) -> Headers:
    return [(b"content-length", b"%d" % len(body)), (b"x-request-id", request_id.encode())]


def _scored(state: WorkerState, row: Any, _query: bytes) -> _Answer:
    answer = state.score(row, "api")
    return encode(answer), answer.prediction_id


async def _explained(state: WorkerState, row: Any, query: bytes) -> _Answer:
    asked = parse_explain_options(query)
    answer = await told(state, row, asked)
    return encode(answer), answer["prediction_id"]


async def _answered(
    state: WorkerState,
    path: str,
    work: Callable[[WorkerState, Any, bytes], _Answer | Awaitable[_Answer]],
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    began = perf_counter()
    head = read_head(scope["headers"])
    try:
        check_key(state, head, scope["headers"])
        state.check_capacity()
        row = parse_json_body(
            await read_body(receive, state.settings.max_body_bytes, head.declared)
        )
        found = work(state, row, scope["query_string"])
        body, prediction_id = found if isinstance(found, tuple) else await found
        reply = good(body, head.request_id or prediction_id)
    except ClientDisconnectedError:
        state.metrics.answered(path, 0, perf_counter() - began)
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
        reply = refused(state, path, error, head.request_id)
    start = {"type": "http.response.start", "status": reply.status, "headers": reply.headers}
    await send(start)
    await send({"type": "http.response.body", "body": reply.body})
    record_response(state, path, reply, perf_counter() - began)
