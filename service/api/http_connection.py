"""One caller's connection: reads whole requests one after the other, within limits and deadlines.

uvicorn's server makes one for every connection, as it is named in `http=`. httptools parses. It is fed
the head, the body and what follows separately, so that nothing of the next request is read before the
answer to this one has left, and no more than one read of the socket waits. What a request gets for an
answer is decided in `service.api.request_path`.
"""

from __future__ import annotations

import asyncio
from enum import IntEnum
from typing import TYPE_CHECKING, Any, cast

import httptools

from service.api.http_request import Answer, HttpRequest, encode_head
from service.api.problems import ProblemError
from service.api.request_body import body_too_large

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

    from service.api.request_path import RequestPath

LARGEST_HEAD = 32 * 1024
"""Bytes of request line and headers together, or of a chunked body's lines and trailers."""
_HEAD_END = b"\r\n\r\n"
_PARTS_AT_ONCE = 2000
_LINGER_SECONDS = 2.0
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Stage(IntEnum):
    HEAD = 0
    BODY = 1
    ANSWERING = 2
    CLOSING = 3


class HttpConnection(asyncio.Protocol):
    """A connection; the parser calls its `on_` methods, which only keep what was parsed."""

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
        self._writable: asyncio.Event | None = None
        self.request: HttpRequest | None = None
        self.gone = asyncio.Event()
        self.waiting_since = self._loop.time()
        self._patience = path.settings.head_seconds
        self._start_parser()

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
        self._body_parts.clear()
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
        """The caller sends no more: the connection is closed after the answer that is due."""
        self._keeps_open = False
        return self._stage is _Stage.ANSWERING

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
        if self._stage is _Stage.HEAD and not self._head_bytes and not self._data:
            self._transport.close()

    # Called by the request path.

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
        elif self._stage is _Stage.BODY or self._head_bytes:
            self.refuse(problem)
        else:
            self._close()

    def refuse(self, problem: ProblemError) -> None:
        """Answers with a problem before the request is whole, and closes the connection."""
        self._keeps_open = False
        self._body_parts.clear()
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
        return [*self._server_state.default_headers, *headers, *closing]

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
        if not self._stays_open():
            self._close()
            return
        self._start_request()
        if self._writable is None:
            self._wait_for_caller(self._keep_alive_seconds)
        if self._place < len(self._data):
            self._loop.call_soon(self._read)

    def abort(self) -> None:
        """Closes the connection at once."""
        self._transport.abort()

    # Called by the parser.

    def on_url(self, url: bytes) -> None:
        """Keeps a part of the URL."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keeps a header; those behind a body are ignored."""
        if self._stage is _Stage.HEAD:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Keeps that the head is complete, and what the parser forgets with the request's end."""
        self._head_complete = True
        self._parsed_keep_alive = self._parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        """Keeps a part of the body."""
        self._body_parts.append(body)
        self._body_bytes += len(body)

    def on_message_complete(self) -> None:
        """Keeps that the request is whole."""
        self._is_whole = True

    # Reading.

    def _start_parser(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._start_request()

    def _start_request(self) -> None:
        self._stage = _Stage.HEAD
        self.request = None
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._head_tail = b""
        self._head_complete = self._is_whole = self._parsed_keep_alive = False
        self._body_parts: list[bytes] = []
        self._body_bytes = self._body_left = self._chunk_left = 0
        self._line = b""
        self._is_chunked = self._in_trailers = False

    def _wait_for_caller(self, seconds: float) -> None:
        self.waiting_since = self._loop.time()
        self._patience = seconds

    def _stays_open(self) -> bool:
        return self._keeps_open and self.request is not None and self.request.keep_alive

    def _close(self) -> None:
        """Closes the connection; reads on for a while if the caller may still be sending.

        Otherwise the kernel would discard the answer together with what was not read.
        """
        still_sending = not self._is_whole and (self._head_bytes > 0 or bool(self._data))
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
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()

    def _read(self) -> None:
        had_begun = self._head_bytes > 0
        parts = 0
        while (
            self._stage < _Stage.ANSWERING
            and self._place < len(self._data)
            and self._writable is None
        ):
            self._parse(self._next_part())
            parts += 1
            if parts == _PARTS_AT_ONCE:  # very small chunks: others get their answers in between
                self._loop.call_soon(self._read)
                return
        if self._place >= len(self._data):
            self._data, self._place = b"", 0
            self._resume_reading()
        if not had_begun and self._stage is _Stage.HEAD and self._head_bytes:
            self._wait_for_caller(self._path.settings.head_seconds)

    def _next_part(self) -> bytes:
        """Takes what may be parsed next: nothing behind the end of a head, a body or a chunk's line."""
        start = self._place
        if self._stage is _Stage.HEAD:
            seen = self._head_tail + self._data[start : start + LARGEST_HEAD]
            end = seen.find(_HEAD_END)
            size = (len(seen) if end < 0 else end + len(_HEAD_END)) - len(self._head_tail)
            self._head_tail = seen[-3:] if end < 0 else b""
            self._head_bytes += size
        elif self._is_chunked and not self._chunk_left:
            size = self._data.find(b"\n", start) + 1 - start
            size = size if size > 0 else len(self._data) - start
        else:
            size = self._chunk_left if self._is_chunked else self._body_left
        part = self._data[start : start + size]
        self._place += len(part)
        return part

    def _parse(self, part: bytes) -> None:
        if self._head_bytes > LARGEST_HEAD:
            self.refuse(_head_too_large())
            return
        try:
            self._parser.feed_data(part)
            if self._stage is _Stage.BODY:
                self._count(part)
            elif self._head_complete:
                self._begin_request()
        except httptools.HttpParserUpgrade:
            self._parse_without_upgrade()
        except httptools.HttpParserError as error:
            self.refuse(ProblemError(400, f"The request is not valid HTTP: {error}."))
        except ProblemError as problem:
            self.refuse(problem)
        else:
            if self._is_whole and self._stage is _Stage.BODY:
                self._complete_request()

    def _parse_without_upgrade(self) -> None:
        """Reads the head again without `Upgrade`, which is never granted here.

        The parser takes no body from a request that has it, so that its body would pass for the next
        request.
        """
        method, size = self._parser.get_method(), self._head_bytes
        if method == b"CONNECT":
            self.refuse(ProblemError(400, "CONNECT is for proxies; this is none."))
            return
        version = self._parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (method, self._url, version)]
        lines += [b"%b: %b" % each for each in self._headers if each[0] != b"upgrade"]
        self._start_parser()
        self._head_bytes = size
        self._parse(b"\r\n".join(lines) + _HEAD_END)

    def _begin_request(self) -> None:
        """Decides what is to become of a request whose head is complete.

        Raises:
            ProblemError: it is refused at once.
        """
        request = HttpRequest(
            self._parser.get_method().decode(),
            self._url,
            self._headers,
            version=self._parser.get_http_version(),
            keep_alive=self._parsed_keep_alive,
        )
        self.request, self._stage = request, _Stage.BODY
        head = request.head
        self._is_chunked, self._body_left = head.chunked, head.content_length
        self._path.admit(request)
        if self._is_whole:
            return
        if head.content_length > request.limit:
            raise request.refusal or body_too_large(request.limit)
        if head.expects_continue:
            if request.refusal is not None:
                raise request.refusal
            self.send(_CONTINUE)
        self._wait_for_caller(self._path.settings.body_seconds)

    def _count(self, part: bytes) -> None:
        """Counts what was parsed of a body.

        Raises:
            ProblemError: it is too large, or there is no memory for it now.
        """
        request = cast(HttpRequest, self.request)
        if not self._is_chunked:
            self._body_left -= len(part)
        elif self._chunk_left:
            self._chunk_left -= len(part)
        else:
            self._read_line(part)
        if request.refusal is not None:
            self._body_parts.clear()
        elif self._body_bytes > request.limit:
            raise body_too_large(request.limit)
        else:
            self._path.reserve(request, self._body_bytes)

    def _read_line(self, part: bytes) -> None:
        """Takes the length of the chunk that follows; the parser has checked the line."""
        self._line += part
        if len(self._line) > LARGEST_HEAD:
            raise _head_too_large()
        if self._line.endswith(b"\n") and not self._in_trailers:
            size = int(self._line.partition(b";")[0], 16)
            self._chunk_left = size + len(b"\r\n") if size else 0
            self._in_trailers = size == 0
            self._line = b""

    def _complete_request(self) -> None:
        request = cast(HttpRequest, self.request)
        request.body = b"".join(self._body_parts)
        self._body_parts = []
        self._stage, self.waiting_since = _Stage.ANSWERING, float("inf")
        self._path.answer(self, request)


def _head_too_large() -> ProblemError:
    return ProblemError(
        431, f"Request line and headers are larger than {LARGEST_HEAD:,} bytes. Send fewer.",
        allowed=f"{LARGEST_HEAD} bytes",
    )  # fmt: skip
