"""Requests for a score that arrived in one pass of the event loop, answered together.

No request waits for others: what the sockets held when the loop read them is scored at once, alone if
one came alone. Under load a batch holds many. Then masks are added, probabilities computed and
answers sent side by side, so that an answer costs less the more requests there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any, Protocol

from churn.scoring import Score
from churn.scoring.encoder import Values
from service.api.fast_path.raw_response import (
    SCORE,
    RawResponse,
    encode,
    ok_response,
    problem_response,
    record_response,
)
from service.api.request_body import body_too_large, parse_json
from service.api.request_headers import Headers, read_head
from service.api.worker_state import WorkerState
from service.core.loaded_model import LoadedModel


class Connection(Protocol):
    """A caller's connection, with at most one request in the batch."""

    def send_response(self, response: RawResponse) -> None:
        """Sends an answer; does nothing if the caller has hung up."""

    def abort(self) -> None:
        """Closes the connection without an answer."""


class _QueuedRequest:
    """One request on its way; the attributes below `error` are set while it is read and scored."""

    __slots__ = (
        "began", "body", "connection", "error", "headers", "model", "prediction_id", "request_id",
        "row", "score", "values",
    )  # fmt: skip

    def __init__(self, connection: Connection, headers: Headers, body: bytes) -> None:
        self.connection = connection
        self.headers = headers
        self.body = body
        self.began = perf_counter()
        self.request_id = ""
        self.error: Exception | None = None
        self.row: Any
        self.model: LoadedModel
        self.prediction_id: str
        self.values: Values
        self.score: Score


class RequestBatcher:
    """Queue of the whole requests for a score that arrived in this pass of the event loop."""

    def __init__(self, state: WorkerState) -> None:
        self._state = state
        self._queue: list[_QueuedRequest] = []

    def enqueue(self, connection: Connection, headers: Headers, body: bytes) -> bool:
        """Adds a whole request.

        Returns:
            Whether it is the batch's first request, so that `flush` must be scheduled.
        """
        self._queue.append(_QueuedRequest(connection, headers, body))
        return len(self._queue) == 1

    def flush(self) -> None:
        """Answers all queued requests in their order."""
        requests, self._queue = self._queue, []
        groups: dict[int, list[_QueuedRequest]] = {}
        capacity = self._state.free_capacity()
        for place, request in enumerate(requests):
            try:
                self._read(request, within_capacity=place < capacity)
            except Exception as error:  # noqa: BLE001 - the caller gets an answer whatever happens
                request.error = error
            else:
                groups.setdefault(id(request.model), []).append(request)
        for group in groups.values():
            _score(group)
        answered = []
        for request in requests:
            try:
                response = self._response(request)
                request.connection.send_response(response)
            except Exception:  # noqa: BLE001 - no answer is better than another request's answer
                request.connection.abort()
            else:
                answered.append((response, perf_counter() - request.began))
        for response, seconds in answered:
            with suppress(Exception):  # a log that cannot be written costs nobody an answer
                record_response(self._state, SCORE, response, seconds)

    def _read(self, request: _QueuedRequest, *, within_capacity: bool) -> None:
        """Checks key, capacity and size, decodes the customer and chooses the version.

        Raises:
            ProblemError: the request is refused.
            FieldError: the contract does not allow the customer.
        """
        state = self._state
        head = read_head(request.headers)
        request.request_id = head.request_id
        state.check_key(head.key)
        if not within_capacity:
            raise state.over_capacity()
        if max(head.content_length, len(request.body)) > state.settings.max_body_bytes:
            raise body_too_large(state.settings.max_body_bytes)
        request.row = parse_json(request.body)
        request.model, request.prediction_id = state.choose_model(request.row)
        request.values = request.model.scorer.values(request.row)

    def _response(self, request: _QueuedRequest) -> RawResponse:
        if request.error is not None:
            return problem_response(self._state, SCORE, request.error, request.request_id)
        try:
            answer = self._state.record_score(
                request.row, request.model, request.prediction_id, request.values, request.score,
                "api",
            )  # fmt: skip
            return ok_response(encode(answer), request.request_id or request.prediction_id)
        except Exception as error:  # noqa: BLE001 - the caller gets an answer whatever happens
            return problem_response(self._state, SCORE, error, request.request_id)


def _score(group: Sequence[_QueuedRequest]) -> None:
    """Scores the customers of one version; if that fails, each alone, so that only one fails."""
    try:
        scores = group[0].model.scorer.score_each([request.values for request in group])
        for request, score in zip(group, scores, strict=True):
            request.score = score
    except Exception as error:  # noqa: BLE001 - it becomes the answer of the request at fault
        if len(group) == 1:
            group[0].error = error
            return
        for request in group:
            _score([request])
