"""One caller's connection: reads whole requests one after the other, within limits and deadlines.

uvicorn's server makes one for every connection, as it is named in `http=`. Nothing of the next request is
read before the answer to this one has left, and no more than one read of the socket waits. What a
request gets for an answer is decided in `service.api.request_path`.
"""

from __future__ import annotations

import asyncio
from enum import IntEnum
from typing import TYPE_CHECKING, Any, cast

from service.api.http_request import Answer, HttpRequest, encode_head
from service.api.problems import ProblemError
from service.api.request_body import body_too_large
from service.api.request_reader import RequestReader

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

    from service.api.request_path import RequestPath

_PARTS_AT_ONCE = 2000
_LINGER_SECONDS = 2.0
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Stage(IntEnum):
    HEAD = 0
    BODY = 1
    ANSWERING = 2
    CLOSING = 3


class HttpConnection(asyncio.Protocol):
    """A connection.

    Attributes:
        gone: set when the connection is lost.
        waiting_since: since when the caller has been waited for; infinite while it is not.
    """

    def __init__(
        self, path: RequestPath, *, config: Config, server_state: ServerState, **_others: Any
    ) -> None:
        """Takes the request path, and what uvicorn gives every protocol."""
        self._path = path
        self._keep_alive_seconds = config.timeout_keep_alive
        self._server_state = server_state
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._stage = _Stage.HEAD
        self._data, self._place = b"", 0
        self._reading_paused = False
        self._keeps_open = True
        self._has_ended = False
        self._writable: asyncio.Event | None = None
        self._reader = RequestReader()
        self.gone = asyncio.Event()
        self.waiting_since = self._loop.time()
        self._patience = path.settings.head_seconds

    # Called by the event loop and by uvicorn.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes the connection."""
        self._transport = cast(asyncio.Transport, transport)
        self._server_state.connections.add(cast(Any, self))
        self._path.add_connection(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forgets the connection."""
        self._server_state.connections.discard(cast(Any, self))
        self._path.remove_connection(self)
        self._stage = _Stage.CLOSING
        self._data = b""
        self._reader.start()
        self.gone.set()
        if self._writable is not None:
            self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Reads what arrived, unless a request of this connection is being answered."""
        if self._stage is _Stage.CLOSING:
            return
        if self._place < len(self._data) or self._stage is _Stage.ANSWERING:
            self._data = self._data[self._place :] + data
            self._place = 0
            self._reading_paused = True
            self._transport.pause_reading()
            return
        self._data, self._place = data, 0
        self._read()

    def eof_received(self) -> bool:
        """The caller sends no more: the connection is closed after the answers that are due."""
        self._has_ended = True
        return self._stage is _Stage.ANSWERING or self._place < len(self._data)

    def pause_writing(self) -> None:
        """The caller reads too slowly."""
        self._writable = asyncio.Event()
        self._wait_for_caller(self._path.settings.body_seconds)

    def resume_writing(self) -> None:
        """The caller has caught up."""
        if self._writable is not None:
            self._writable.set()
            self._writable = None
        if self._stage is _Stage.ANSWERING:
            self.waiting_since = float("inf")
        else:
            self._loop.call_soon(self._read)

    def shutdown(self) -> None:
        """The server stops: closes the connection, after the answer if a request has begun."""
        self._keeps_open = False
        if self._stage is _Stage.HEAD and not self._reader.head_bytes and not self._data:
            self._transport.close()

    # Called by the request path.

    @property
    def request(self) -> HttpRequest | None:
        """The request whose head is complete; None between two requests."""
        return self._reader.request

    @property
    def is_lost(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._transport.is_closing()

    @property
    def is_answering(self) -> bool:
        """Whether a whole request of it is being answered."""
        return self._stage is _Stage.ANSWERING

    @property
    def is_waiting(self) -> bool:
        """Whether the caller has to send something, or to take it."""
        return self._stage is not _Stage.ANSWERING or self._writable is not None

    def expire(self, now: float) -> None:
        """Ends the connection if its caller has taken too long."""
        if now - self.waiting_since > self._patience:
            self.end(ProblemError(408, "The request was not complete in time. Send it again."))

    def end(self, problem: ProblemError) -> None:
        """Ends the connection: with a problem if a request is on its way, else without a word."""
        if self._stage is _Stage.CLOSING or self._writable is not None:
            self._transport.abort()
        elif self._stage is _Stage.BODY or self._reader.head_bytes:
            self.refuse(problem)
        else:
            self._close()

    def refuse(self, problem: ProblemError) -> None:
        """Answers with a problem before the request is whole, and closes the connection."""
        self._keeps_open = False
        self._reader.body.clear()
        self._path.refuse(self, problem)

    def send_answer(self, answer: Answer) -> None:
        """Sends the answer to the request that is being answered; nothing if the caller is gone."""
        headers = self.completed_headers(answer.headers)
        body = b"" if self.request and self.request.method == "HEAD" else answer.body
        self.send(encode_head(answer.status, headers) + body)
        self.finish()

    def completed_headers(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Adds the headers that every answer has."""
        closing = [] if self._stays_open() else [(b"connection", b"close")]
        shared = self.request.shared_headers if self.request is not None else ()
        return [*self._server_state.default_headers, *headers, *shared, *closing]

    def send(self, data: bytes) -> None:
        """Sends bytes; nothing if the caller is gone."""
        if data and not self._transport.is_closing():
            self._transport.write(data)

    async def drain(self) -> None:
        """Waits until the caller has taken most of what was sent."""
        if self._writable is not None:
            await self._writable.wait()

    def finish(self) -> None:
        """The answer has been sent: reads the next request, or closes."""
        self._server_state.total_requests += 1
        if self._stage is _Stage.CLOSING:
            return
        if not self._stays_open() or (self._has_ended and self._place >= len(self._data)):
            self._close()
            return
        self._stage = _Stage.HEAD
        self._reader.start()
        if self._writable is None:
            self._wait_for_caller(self._keep_alive_seconds)
        if self._place < len(self._data):
            self._loop.call_soon(self._read)

    def close(self) -> None:
        """Closes the connection when what was sent has left."""
        self._transport.close()

    def abort(self) -> None:
        """Closes the connection at once."""
        self._transport.abort()

    # Reading.

    def _wait_for_caller(self, seconds: float) -> None:
        self.waiting_since = self._loop.time()
        self._patience = seconds

    def _stays_open(self) -> bool:
        return self._keeps_open and self.request is not None and self.request.keep_alive

    def _close(self) -> None:
        """Closes the connection; reads on for a while if the caller may still be sending.

        Otherwise the kernel would discard the answer together with what was not read.
        """
        begun = not self._reader.is_whole and (self._reader.head_bytes > 0 or bool(self._data))
        still_sending = begun or self._place < len(self._data)
        self._stage = _Stage.CLOSING
        self._data, self._place = b"", 0
        if self._transport.is_closing():
            return
        if still_sending:
            self._wait_for_caller(_LINGER_SECONDS)
            if self._transport.can_write_eof():
                self._transport.write_eof()
            self._resume_reading()
        else:
            self._wait_for_caller(self._path.settings.body_seconds)
            self._transport.close()

    def _resume_reading(self) -> None:
        if self._reading_paused and not self._transport.is_closing():
            self._reading_paused = False
            self._transport.resume_reading()

    def _read(self) -> None:
        reader = self._reader
        had_begun = reader.head_bytes > 0
        parts = 0
        while (
            self._stage < _Stage.ANSWERING
            and self._place < len(self._data)
            and self._writable is None
        ):
            self._read_part()
            parts += 1
            if parts == _PARTS_AT_ONCE:  # very small chunks: others get their answers in between
                self._loop.call_soon(self._read)
                return
        if self._place >= len(self._data):
            self._data, self._place = b"", 0
            self._resume_reading()
            if self._has_ended and self._stage < _Stage.ANSWERING:
                self._transport.close()  # what is missing of the request will not come
        if not had_begun and self._stage is _Stage.HEAD and reader.head_bytes:
            self._wait_for_caller(self._path.settings.head_seconds)

    def _read_part(self) -> None:
        reader = self._reader
        try:
            self._place = reader.read(self._data, self._place)
            if self._stage is _Stage.BODY:
                self._check_body(reader)
            elif reader.request is not None:
                self._begin_request(reader.request)
        except ProblemError as problem:
            self.refuse(problem)
            return
        if reader.is_whole and reader.request is not None:
            reader.request.body = b"".join(reader.body)
            reader.body = []
            self._stage, self.waiting_since = _Stage.ANSWERING, float("inf")
            self._path.answer(self, reader.request)

    def _begin_request(self, request: HttpRequest) -> None:
        """Decides what is to become of a request whose head is complete.

        Raises:
            ProblemError: it is refused at once.
        """
        self._stage = _Stage.BODY
        self._path.admit(request)
        if self._reader.is_whole:
            return
        if request.head.content_length > request.limit:
            raise request.refusal or body_too_large(request.limit)
        if request.head.expects_continue:
            if request.refusal is not None:
                raise request.refusal
            self.send(_CONTINUE)
        self._wait_for_caller(self._path.settings.body_seconds)

    def _check_body(self, reader: RequestReader) -> None:
        """Checks the size of what has been read of a body.

        Raises:
            ProblemError: it is too large, or there is no memory for it now.
        """
        request = cast(HttpRequest, reader.request)
        if reader.body_bytes > request.limit:
            raise request.refusal or body_too_large(request.limit)
        if request.refusal is not None:
            reader.body.clear()
        else:
            self._path.reserve(request, reader.body_bytes)
