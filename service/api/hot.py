"""Routes about one customer as plain ASGI: what FastAPI would do for them costs more than a score.

They are FastAPI's routes all the same: their schemas stand in the OpenAPI document, and every refusal
looks like any other route's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

import msgspec

from churn.scoring.fields import FieldError
from service.api.desk import Desk, request_id_of
from service.api.explaining import asked_for, told
from service.api.log import log
from service.api.problems import PROBLEM_JSON, Refusal
from service.api.reading import (
    ClientLeftError,
    Receive,
    Scope,
    Send,
    decode,
    parsed,
    read_body,
)

SCORE, EXPLAIN = "/v1/score", "/v1/explain"
Plain = Callable[[Desk, Scope, Receive, Send], Awaitable[None]]
_Answer = tuple[bytes, str]
"""A body, and the prediction's id."""
_encode = msgspec.json.Encoder().encode
_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", PROBLEM_JSON.encode())


async def score(desk: Desk, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers one customer's score."""
    await _answered(desk, SCORE, _scored, scope, receive, send)


async def explain(desk: Desk, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers one customer's score, its reasons, and what would lower the risk."""
    await _answered(desk, EXPLAIN, _explained, scope, receive, send)


ROUTES: dict[str, Plain] = {SCORE: score, EXPLAIN: explain}


def _scored(desk: Desk, row: Any, _query: bytes) -> _Answer:
    answer = desk.score(row, "api")
    return _encode(answer), answer.prediction_id


async def _explained(desk: Desk, row: Any, query: bytes) -> _Answer:
    asked = asked_for(query)
    answer = await told(desk, row, asked)
    return _encode(answer), answer["prediction_id"]


async def _answered(
    desk: Desk,
    path: str,
    work: Callable[[Desk, Any, bytes], _Answer | Awaitable[_Answer]],
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    began = perf_counter()
    status, headers, body = 200, [], b""
    request_id = ""
    try:
        declared, key = 0, b""
        for name, value in scope["headers"]:
            if name == b"content-length":
                declared = int(value)
            elif name == b"x-api-key":
                key = value
            elif name == b"x-request-id":
                request_id = request_id_of(((name, value),)) or ""
        if desk.keys.required and not (key and desk.keys.lets_in(key)):
            desk.require_key(scope["headers"])
        if len(desk.running) > desk.settings.max_concurrency:
            desk.require_room()
        content = await read_body(receive, desk.settings.max_body_bytes, declared)
        try:
            row = decode(content)
        except (msgspec.DecodeError, RecursionError, ValueError):
            row = parsed(content)
        found = work(desk, row, scope["query_string"])
        body, prediction_id = found if isinstance(found, tuple) else await found
        request_id = request_id or prediction_id
        headers = [_JSON]
    except ClientLeftError:
        desk.tally.answered(path, 0, perf_counter() - began)
        return
    except (Refusal, FieldError) as error:
        refusal = error if isinstance(error, Refusal) else Refusal.of(error)
        request_id = request_id or desk.new_id()
        status, body = refusal.status, refusal.body(request_id)
        headers = [_PROBLEM]
        headers += [(n.encode(), v.encode()) for n, v in refusal.headers.items()]
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
        request_id = request_id or desk.new_id()
        # Its type and no more: an exception's words may hold a customer's values.
        log(
            "error", "request_failed", route=path, request_id=request_id, error=type(error).__name__
        )
        refusal = Refusal(
            500, "The service failed at this request. Name the request id when asking."
        )
        status, body, headers = 500, refusal.body(request_id), [_PROBLEM]
    headers += ((b"content-length", b"%d" % len(body)), (b"x-request-id", request_id.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
    seconds = perf_counter() - began
    desk.tally.answered(path, status, seconds)
    if status != 200 or desk.settings.access_log:  # noqa: PLR2004
        log(
            "info", "answered", route=path, status=status, request_id=request_id,
            seconds=round(seconds, 6),
        )  # fmt: skip
