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
from service.api.explanation import asked_for, told
from service.api.problems import PROBLEM_JSON, Refusal
from service.api.request_body import (
    ClientLeftError,
    Receive,
    Scope,
    Send,
    decode,
    parsed,
    read_body,
)
from service.api.worker_state import Desk, request_id_of
from service.core.log import log

SCORE, EXPLAIN = "/v1/score", "/v1/explain"
Plain = Callable[[Desk, Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
_Answer = tuple[bytes, str]
"""A body, and the prediction's id."""
encode = msgspec.json.Encoder().encode
_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", PROBLEM_JSON.encode())
_GOOD = 200


class Reply(NamedTuple):
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


async def score(desk: Desk, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers one customer's score."""
    await _answered(desk, SCORE, _scored, scope, receive, send)


async def explain(desk: Desk, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers one customer's score, its reasons, and what would lower the risk."""
    await _answered(desk, EXPLAIN, _explained, scope, receive, send)


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


def head_of(headers: Iterable[tuple[bytes, bytes]]) -> Head:
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


def require_key(desk: Desk, head: Head, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuses whoever shows no key that is let in; the usual header is looked at first.

    Raises:
        Refusal: 401.
    """
    if desk.keys.required and not (head.key and desk.keys.lets_in(head.key)):
        desk.require_key(headers)


def content_of(body: bytes) -> Any:
    """A body's JSON.

    Raises:
        Refusal: it is none, or not strictly.
    """
    try:
        return decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return parsed(body)


def good(body: bytes, request_id: str) -> Reply:
    """An answer with what was asked for."""
    return Reply(_GOOD, [_JSON, *_common(body, request_id)], body, request_id)


def refused(desk: Desk, path: str, error: Exception, request_id: str) -> Reply:
    """An answer that says why there is none: a refusal's reason, and 500 for whatever else it was."""
    request_id = request_id or desk.new_id()
    if isinstance(error, FieldError):
        error = Refusal.of(error)
    elif not isinstance(error, Refusal):
        # Its type and no more: an exception's words may hold a customer's values.
        log(
            "error", "request_failed", route=path, request_id=request_id, error=type(error).__name__
        )
        error = Refusal(500, "The service failed at this request. Name the request id when asking.")
    body = error.body(request_id)
    more = [(name.encode(), value.encode()) for name, value in error.headers.items()]
    return Reply(error.status, [_PROBLEM, *more, *_common(body, request_id)], body, request_id)


def told_of(desk: Desk, path: str, reply: Reply, seconds: float) -> None:
    """Counts an answer, and logs it where it is to be logged."""
    desk.tally.answered(path, reply.status, seconds)
    if reply.status != _GOOD or desk.settings.access_log:
        log(
            "info", "answered", route=path, status=reply.status, request_id=reply.request_id,
            seconds=round(seconds, 6),
        )  # fmt: skip


def _common(body: bytes, request_id: str) -> Headers:
    return [(b"content-length", b"%d" % len(body)), (b"x-request-id", request_id.encode())]


def _scored(desk: Desk, row: Any, _query: bytes) -> _Answer:
    answer = desk.score(row, "api")
    return encode(answer), answer.prediction_id


async def _explained(desk: Desk, row: Any, query: bytes) -> _Answer:
    asked = asked_for(query)
    answer = await told(desk, row, asked)
    return encode(answer), answer["prediction_id"]


async def _answered(
    desk: Desk,
    path: str,
    work: Callable[[Desk, Any, bytes], _Answer | Awaitable[_Answer]],
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    began = perf_counter()
    head = head_of(scope["headers"])
    try:
        require_key(desk, head, scope["headers"])
        desk.require_room()
        row = content_of(await read_body(receive, desk.settings.max_body_bytes, head.declared))
        found = work(desk, row, scope["query_string"])
        body, prediction_id = found if isinstance(found, tuple) else await found
        reply = good(body, head.request_id or prediction_id)
    except ClientLeftError:
        desk.tally.answered(path, 0, perf_counter() - began)
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
        reply = refused(desk, path, error, head.request_id)
    start = {"type": "http.response.start", "status": reply.status, "headers": reply.headers}
    await send(start)
    await send({"type": "http.response.body", "body": reply.body})
    told_of(desk, path, reply, perf_counter() - began)
