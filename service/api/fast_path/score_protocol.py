"""HTTP/1.1 as uvicorn speaks it, with a shorter way for a request for one customer's score.

uvicorn makes a scope, a task and a handful of objects of every request, which costs more than the
score. A `POST /v1/score` that came whole is handed to the turn instead, and its answer written as it
is. Everything else goes uvicorn's own way: other routes, bodies in several parts, connections that
are to be closed, callers that read slowly, and what a caller asks before it has its answer: a turn
never holds two requests of one connection. It is uvicorn's parser in either case.

What is overridden here is uvicorn's own (0.54), not its public interface: look at it again when
uvicorn is raised. Both ways must answer alike, which tests/service/api/test_fast_path.py holds them to.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from service.api.fast_path.plain_asgi_routes import SCORE, Headers, RawResponse
from service.api.fast_path.request_batcher import RequestBatcher

_URL = SCORE.encode()


class ScoreProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, turn: RequestBatcher, **given: Any) -> None:
        """Takes where whole requests for a score go, and what uvicorn gives."""
        super().__init__(**given)
        self._turn = turn
        self._ours = False
        """Whether the request that is being read takes the shorter way."""
        self._head: Headers = []
        self._parts: list[bytes] = []
        self._waiting = False
        """Whether a request of this connection is in the turn."""
        self._answered_at: float | None = None
        """When the last answer went the shorter way; None where the caller has spoken since."""
        self._idle: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Reads what came; a request that is not whole by then goes uvicorn's way."""
        self._answered_at = None
        super().data_received(data)
        if self._ours:
            self._ours = False
            parts, self._parts = self._parts, []
            self._begin_as_uvicorn_does()
            for part in parts:
                super().on_body(part)

    def eof_received(self) -> None:
        """The caller says no more: uvicorn ends the connection, after the answer that is due."""
        if self._waiting:
            self._turn.answer()
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the caller."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins; uvicorn's scope is made when it turns out to be needed."""
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        """Tells which way the request takes."""
        parser = self.parser
        # What comes after them are trailers, which are not to pass for headers.
        self._head, self.headers = self.headers, []
        cycle: RequestResponseCycle | None = self.cycle
        if (
            self.url == _URL
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and (cycle is None or cycle.response_complete)
            and not self._waiting
            and not self.flow.write_paused
        ):
            self._ours = True
        else:
            self._begin_as_uvicorn_does()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if self._ours:
            self._parts.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if not self._ours:
            super().on_message_complete()
            return
        self._ours = False
        self._waiting = True
        parts, self._parts = self._parts, []
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        if self._turn.take(self, self._head, body):
            # After all sockets that can be read have been, and before the loop looks again.
            self.loop.call_soon(self._turn.answer)

    def reply(self, reply: RawResponse) -> None:
        """Sends an answer; whoever hung up meanwhile gets none."""
        self._waiting = False
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        lines = [STATUS_LINE[reply.status]]
        for name, value in (*self.server_state.default_headers, *reply.headers):
            lines += (name, b": ", value, b"\r\n")
        lines += (b"\r\n", reply.body)
        self.transport.write(b"".join(lines))
        self._answered_at = self.loop.time()
        if self._idle is None:
            self._idle = self.loop.call_later(self.timeout_keep_alive, self._close_if_idle)

    def drop(self) -> None:
        """Ends the connection without an answer."""
        self._waiting = False
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is not HTTP, after the score that is due; uvicorn waits for nothing else."""
        self._ours = False
        if self._waiting:
            self._turn.answer()
        super().send_400_response(msg)

    def shutdown(self) -> None:
        """Ends the connection when it has its answer."""
        if self._waiting:
            self._turn.answer()
        super().shutdown()

    def on_response_complete(self) -> None:
        """One of uvicorn's answers is out; those that wait come before anything more is read.

        uvicorn reads on after every answer, which lets one caller who asks ahead fill the memory.
        """
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()

    def _begin_as_uvicorn_does(self) -> None:
        url, expects = self.url, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += self._head  # the list that the scope holds
        super().on_headers_complete()
        self.headers = []  # for trailers, as above

    def _close_if_idle(self) -> None:
        """One timer a connection, looked at when it is up: one a request would cost each of them."""
        self._idle = None
        cycle: RequestResponseCycle | None = self.cycle
        at_work = cycle is not None and not cycle.response_complete
        if self._answered_at is None or at_work or self.transport.is_closing():
            return  # something has come since: its answer sets a timer again, ours or uvicorn's
        left = self._answered_at + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._idle = self.loop.call_later(left, self._close_if_idle)
        else:
            self.transport.close()
