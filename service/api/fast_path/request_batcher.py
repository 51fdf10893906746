"""Requests for a score that arrived in one pass of the event loop, answered together.

No request waits for others: what the sockets held when the loop read them is scored at once, alone if
one came alone. Under load a batch holds many. Then masks are added, probabilities computed and
answers sent side by side, so that an answer costs less the more requests there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from churn.scoring import Score
from churn.scoring.encoder import Values
from service.api.http_request import Answer, HttpRequest, json_answer
from service.api.request_body import parse_json
from service.api.worker_state import WorkerState
from service.core.loaded_model import LoadedModel

if TYPE_CHECKING:
    from service.api.http_connection import HttpConnection
    from service.api.request_path import RequestPath

_encode = msgspec.json.Encoder().encode


class _QueuedRequest:
    """A request in the batch; the attributes below `result` are set while it is read and scored."""

    __slots__ = ("connection", "model", "request", "result", "row", "score", "values")

    def __init__(self, connection: HttpConnection, request: HttpRequest) -> None:
        self.connection = connection
        self.request = request
        self.result: Answer | Exception | None = None
        self.row: Any
        self.model: LoadedModel
        self.values: Values
        self.score: Score


class RequestBatcher:
    """Queue of the requests for a score that arrived in this pass of the event loop."""

    def __init__(self, state: WorkerState, path: RequestPath) -> None:
        self._state = state
        self._path = path
        self._queue: list[_QueuedRequest] = []

    def enqueue(self, connection: HttpConnection, request: HttpRequest) -> None:
        """Adds a whole request."""
        self._queue.append(_QueuedRequest(connection, request))
        if len(self._queue) == 1:
            # Runs after all sockets that have data were read, and before the loop waits again.
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        queued, self._queue = self._queue, []
        groups: dict[int, list[_QueuedRequest]] = {}
        for each in queued:
            try:
                self._read(each)
            except Exception as error:  # noqa: BLE001 - the caller gets an answer whatever happens
                each.result = error
            else:
                groups.setdefault(id(each.model), []).append(each)
        for group in groups.values():
            _score(group)
        answered = []
        for each in queued:
            status = 0
            try:
                status = self._path.send(each.connection, each.request, self._answer(each))
            except Exception:  # noqa: BLE001 - no answer is better than another request's answer
                each.connection.abort()
            answered.append((each.request, status))
        for request, status in answered:
            self._path.account(request, status)

    def _read(self, queued: _QueuedRequest) -> None:
        """Decodes the customer and chooses the version.

        Raises:
            ProblemError: it is no customer.
            FieldError: the contract does not allow the customer.
        """
        queued.row = parse_json(queued.request.body)
        queued.model = self._state.choose_model(queued.row, queued.request.own_id)
        queued.values = queued.model.scorer.values(queued.row)

    def _answer(self, queued: _QueuedRequest) -> Answer | Exception:
        if queued.result is not None:
            return queued.result
        request = queued.request
        try:
            answer = self._state.record_score(
                queued.row, queued.model, request.own_id, queued.values, queued.score, "api"
            )
            return json_answer(_encode(answer), request.request_id)
        except Exception as error:  # noqa: BLE001 - the caller gets an answer whatever happens
            return error


def _score(group: Sequence[_QueuedRequest]) -> None:
    """Scores the customers of one version; if that fails, each alone, so that only one fails."""
    try:
        scores = group[0].model.scorer.score_each([queued.values for queued in group])
        for queued, score in zip(group, scores, strict=True):
            queued.score = score
    except Exception as error:  # noqa: BLE001 - it becomes the answer of the request at fault
        if len(group) == 1:
            group[0].result = error
            return
        for queued in group:
            _score([queued])
