"""uvicorn's HTTP/1.1 protocol with a short path for a request for one customer's score.

uvicorn makes a scope, a task and several objects for every request, which costs more than the score.
A `POST /v1/score` that arrived whole goes to the request batcher instead, and its answer is written
as it is. Everything else goes uvicorn's own way: other routes, bodies in several parts, connections
that are to be closed, callers that read slowly, and what a caller sends before it has its answer (a
batch never holds two requests of one connection). Both use uvicorn's parser.

This class overrides private parts of uvicorn 0.54 (`HttpToolsProtocol` and its attributes). Compare
it with uvicorn's code when uvicorn is raised; it can go when uvicorn makes no scope and no task for a
request that an application answers at once. tests/service/api/test_fast_path.py holds both paths to
the same answers.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from service.api.fast_path.raw_response import SCORE, RawResponse
from service.api.fast_path.request_batcher import RequestBatcher

_SCORE_URL = SCORE.encode()


class ScoreProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, batcher: RequestBatcher, **options: Any) -> None:
        """Takes the batcher of whole requests for a score, and uvicorn's own options."""
        super().__init__(**options)
        self._batcher = batcher
        self._on_fast_path = False
        """Whether the request that is being read takes the short path."""
        self._request_headers: list[tuple[bytes, bytes]] = []
        self._body_parts: list[bytes] = []
        self._in_batch = False
        """Whether a request of this connection is in the batch."""
        self._idle_since: float | None = None
        """When the last answer left on the short path; None if the caller has sent since."""
        self._idle_timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Reads what arrived; a request that is not complete by then goes uvicorn's way."""
        self._idle_since = None
        super().data_received(data)
        if self._on_fast_path:
            self._on_fast_path = False
            parts, self._body_parts = self._body_parts, []
            self._start_uvicorn_request()
            for part in parts:
                super().on_body(part)

    def eof_received(self) -> None:
        """The caller sends no more: uvicorn closes the connection, after the answer that is due."""
        if self._in_batch:
            self._batcher.flush()
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancels the timer of the connection."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins; uvicorn's scope is made when it turns out to be needed."""
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        """Decides which path the request takes."""
        parser = self.parser
        # What comes after them are trailers, which must not be taken for headers.
        self._request_headers, self.headers = self.headers, []
        cycle: RequestResponseCycle | None = self.cycle
        if (
            self.url == _SCORE_URL
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and (cycle is None or cycle.response_complete)
            and not self._in_batch
            and not self.flow.write_paused
        ):
            self._on_fast_path = True
        else:
            self._start_uvicorn_request()

    def on_body(self, body: bytes) -> None:
        """A part of the body arrived."""
        if self._on_fast_path:
            self._body_parts.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        if not self._on_fast_path:
            super().on_message_complete()
            return
        self._on_fast_path = False
        self._in_batch = True
        parts, self._body_parts = self._body_parts, []
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        if self._batcher.enqueue(self, self._request_headers, body):
            # Runs after all sockets that have data were read, and before the loop waits again.
            self.loop.call_soon(self._batcher.flush)

    def send_response(self, response: RawResponse) -> None:
        """Sends an answer; does nothing if the caller has hung up."""
        self._in_batch = False
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        lines = [STATUS_LINE[response.status]]
        for name, value in (*self.server_state.default_headers, *response.headers):
            lines += (name, b": ", value, b"\r\n")
        lines += (b"\r\n", response.body)
        self.transport.write(b"".join(lines))
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._close_if_idle)

    def abort(self) -> None:
        """Closes the connection without an answer."""
        self._in_batch = False
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is not HTTP, after the score that is due; uvicorn would not wait for it."""
        self._on_fast_path = False
        if self._in_batch:
            self._batcher.flush()
        super().send_400_response(msg)

    def shutdown(self) -> None:
        """Closes the connection when it has its answer."""
        if self._in_batch:
            self._batcher.flush()
        super().shutdown()

    def on_response_complete(self) -> None:
        """One of uvicorn's answers has left; those that wait come before anything more is read.

        uvicorn reads on after every answer, so that one caller who sends ahead could fill the memory.
        """
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()

    def _start_uvicorn_request(self) -> None:
        url, expects = self.url, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += self._request_headers  # the list that the scope holds
        super().on_headers_complete()
        self.headers = []  # for trailers, as above

    def _close_if_idle(self) -> None:
        """One timer for a connection, checked when it ends: one for every request would cost more."""
        self._idle_timer = None
        cycle: RequestResponseCycle | None = self.cycle
        is_answering = cycle is not None and not cycle.response_complete
        if self._idle_since is None or is_answering or self.transport.is_closing():
            return  # a request has come since: its answer sets a timer again, ours or uvicorn's
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._close_if_idle)
        else:
            self.transport.close()


def bind_protocol(batcher: RequestBatcher) -> type[ScoreProtocol]:
    """Returns the protocol's class for uvicorn, whose connections share this batcher."""

    class BoundScoreProtocol(ScoreProtocol):
        def __init__(self, **options: Any) -> None:
            super().__init__(batcher, **options)

    return BoundScoreProtocol
