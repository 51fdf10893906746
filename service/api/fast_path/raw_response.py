"""Answers of the short path: status, headers and body as bytes, the same on both ways to them."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from churn.scoring.fields import FieldError
from service.api.problems import PROBLEM_JSON, ProblemError, internal_error
from service.api.worker_state import WorkerState
from service.core.log import log

SCORE, EXPLAIN = "/v1/score", "/v1/explain"
encode = msgspec.json.Encoder().encode
_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", PROBLEM_JSON.encode())
_OK = 200


class RawResponse(NamedTuple):
    """An answer, successful or not.

    Attributes:
        status: of HTTP.
        headers: all but those that the server adds to every answer.
        body: body of the answer.
        request_id: the caller's, or the answer's own.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    request_id: str


def ok_response(body: bytes, request_id: str) -> RawResponse:
    """Returns a successful answer."""
    return RawResponse(_OK, [_JSON, *_common_headers(body, request_id)], body, request_id)


def problem_response(
    state: WorkerState, path: str, error: Exception, request_id: str
) -> RawResponse:
    """Returns the answer to a request that failed: the problem's own, 500 for any other error."""
    request_id = request_id or state.new_id()
    if isinstance(error, FieldError):
        error = ProblemError.from_field_error(error)
    elif not isinstance(error, ProblemError):
        # Only its type: the message of an exception may hold a customer's values.
        log(
            "error", "request_failed", route=path, request_id=request_id, error=type(error).__name__
        )
        error = internal_error()
    body = error.body(request_id)
    own = [(name.encode(), value.encode()) for name, value in error.headers.items()]
    headers = [_PROBLEM, *own, *_common_headers(body, request_id)]
    return RawResponse(error.status, headers, body, request_id)


def record_response(state: WorkerState, path: str, response: RawResponse, seconds: float) -> None:
    """Counts an answer, and logs it if it is a problem or the access log is on."""
    state.metrics.count_response(path, response.status, seconds)
    if response.status != _OK or state.settings.access_log:
        log(
            "info", "answered", route=path, status=response.status, request_id=response.request_id,
            seconds=round(seconds, 6),
        )  # fmt: skip


def _common_headers(body: bytes, request_id: str) -> list[tuple[bytes, bytes]]:
    return [(b"content-length", b"%d" % len(body)), (b"x-request-id", request_id.encode())]
