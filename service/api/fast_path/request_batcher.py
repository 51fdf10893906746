"""Requests for a score that came in one turn of the event loop, answered together.

Nobody waits for company: what the sockets held when the loop looked is what is scored at once, alone
where one came alone. Under load a turn holds many, and then masks are added up, probabilities made
and answers sent side by side, so that an answer costs less the more are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any, Protocol

from churn.scoring import Score
from churn.scoring.encoder import Values
from service.api.fast_path.plain_asgi_routes import (
    SCORE,
    Headers,
    RawResponse,
    check_key,
    encode,
    good,
    parse_json_body,
    read_head,
    record_response,
    refused,
)
from service.api.request_body import body_too_large
from service.api.worker_state import WorkerState
from service.core.loaded_model import LoadedModel


class Connection(Protocol):
    """Whoever asked: one connection, with one request in the turn at most."""

    def reply(self, reply: RawResponse) -> None:
        """Sends the answer; nothing to whoever hung up meanwhile."""
        ...

    def drop(self) -> None:
        """Ends the connection without an answer."""
        ...


class _Asked:
    """One request on its way."""

    __slots__ = (
        "began", "body", "caller", "error", "headers", "prediction_id", "request_id", "row",
        "score", "served", "values",
    )  # fmt: skip

    def __init__(self, caller: Connection, headers: Headers, body: bytes) -> None:
        self.caller = caller
        self.headers = headers
        self.body = body
        self.began = perf_counter()
        self.request_id = ""
        self.error: Exception | None = None
        self.row: Any = None
        self.served: LoadedModel
        self.prediction_id: str
        self.values: Values
        self.score: Score


class RequestBatcher:
    """What came in this turn."""

    def __init__(self, state: WorkerState) -> None:
        self._desk = state
        self._asked: list[_Asked] = []

    def take(self, caller: Connection, headers: Headers, body: bytes) -> bool:
        """Takes a whole request; True where it is the turn's first, and `answer` must be called.

        Args:
            caller: who asked.
            headers: names in lower case.
            body: all of it.
        """
        self._asked.append(_Asked(caller, headers, body))
        return len(self._asked) == 1

    def answer(self) -> None:
        """Answers all that were taken, in their order."""
        asked, self._asked = self._asked, []
        groups: dict[int, list[_Asked]] = {}
        room = self._desk.settings.max_concurrency - len(self._desk.running)
        for place, one in enumerate(asked):
            try:
                self._read(one, has_room=place < room)
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
                one.error = error
            else:
                groups.setdefault(id(one.served), []).append(one)
        for group in groups.values():
            _score(group)
        told = []
        for one in asked:
            try:
                reply = self._reply(one)
                one.caller.reply(reply)
            except Exception:  # noqa: BLE001 - no answer is better than the next one's in its place
                one.caller.drop()
            else:
                told.append((reply, perf_counter() - one.began))
        for reply, seconds in told:
            with suppress(Exception):  # a log that cannot be written costs nobody an answer
                record_response(self._desk, SCORE, reply, seconds)

    def _read(self, one: _Asked, *, has_room: bool) -> None:
        """Who asks, for whom, and whose version answers.

        Raises:
            ProblemError: the caller may not ask, or not now, or not so.
            FieldError: the contract does not allow the customer.
        """
        state = self._desk
        head = read_head(one.headers)
        one.request_id = head.request_id
        check_key(state, head, one.headers)
        if not has_room:
            raise state.over_capacity()
        if max(head.declared, len(one.body)) > state.settings.max_body_bytes:
            raise body_too_large(state.settings.max_body_bytes)
        one.row = parse_json_body(one.body)
        one.served, one.prediction_id = state.choose_model(one.row)
        one.values = one.served.scorer.values(one.row)

    def _reply(self, one: _Asked) -> RawResponse:
        if one.error is not None:
            return refused(self._desk, SCORE, one.error, one.request_id)
        try:
            answer = self._desk.answer(
                one.row, one.served, one.prediction_id, one.values, one.score, "api"
            )
            return good(encode(answer), one.request_id or one.prediction_id)
        except Exception as error:  # noqa: BLE001 - as above
            return refused(self._desk, SCORE, error, one.request_id)


def _score(group: Sequence[_Asked]) -> None:
    """Scores customers whom one version answers for."""
    scorer = group[0].served.scorer
    try:
        _give(group, scorer.score_each([one.values for one in group]))
    except Exception as error:  # noqa: BLE001 - one that fails alone is no reason to fail the others
        if len(group) == 1:
            group[0].error = error
            return
        for one in group:
            _score([one])


def _give(group: Iterable[_Asked], scores: Iterable[Score]) -> None:
    for one, score in zip(group, scores, strict=True):
        one.score = score
