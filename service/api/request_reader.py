"""Reads one request at a time from what arrives, and never anything behind its end.

httptools parses. It is fed the head, the body, and each chunk and its line by themselves, because it would
go on with the next request, and does not say where this one ended.
"""

from __future__ import annotations

import httptools

from service.api.http_request import HttpRequest
from service.api.problems import ProblemError

LARGEST_HEAD = 32 * 1024
"""Bytes of request line and headers together, or of the lines between chunks."""
_HEAD_END = b"\r\n\r\n"


class RequestReader:
    """Reader of one connection; the parser calls its `on_` methods, which only keep what was parsed.

    Attributes:
        request: the request whose head is complete; None before.
        is_whole: whether its body is complete, too.
        head_bytes: how much of the head has been read.
        body: parts of the body.
        body_bytes: how many bytes of the body have been read.
    """

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self.start()

    def start(self) -> None:
        """Prepares for the next request."""
        self.request: HttpRequest | None = None
        self.is_whole = False
        self.head_bytes = 0
        self.body: list[bytes] = []
        self.body_bytes = 0
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_complete = self._keep_alive = False
        self._tail = b""
        self._left = 0
        self._line = b""
        self._is_chunked = self._in_trailers = False

    def read(self, data: bytes, start: int) -> int:
        """Reads the next part of a request, and returns the place behind it.

        Raises:
            ProblemError: 400, this is not HTTP; 431, the head or a chunk's line is too large.
        """
        part = self._next_part(data, start)
        if self.head_bytes > LARGEST_HEAD:
            raise _head_too_large()
        try:
            self._parse(part)
        except httptools.HttpParserError as error:
            raise ProblemError(400, f"The request is not valid HTTP: {error}.") from None
        if self.request is not None:
            self._count(part)
        elif self._head_complete:
            self._make_request()
        return start + len(part)

    # Called by the parser.

    def on_url(self, url: bytes) -> None:
        """Keeps a part of the URL."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keeps a header; those behind a body are ignored."""
        if not self._head_complete:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Keeps what the parser forgets with the request's end."""
        self._head_complete = True
        self._keep_alive = self._parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        """Keeps a part of the body."""
        self.body.append(body)
        self.body_bytes += len(body)

    def on_message_complete(self) -> None:
        """Keeps that the request is whole."""
        self.is_whole = True

    def _next_part(self, data: bytes, start: int) -> bytes:
        if self.request is None:
            seen = self._tail + data[start : start + LARGEST_HEAD]
            end = seen.find(_HEAD_END)
            size = (len(seen) if end < 0 else end + len(_HEAD_END)) - len(self._tail)
            self._tail = seen[-3:] if end < 0 else b""
            self.head_bytes += size
        elif self._is_chunked and not self._left:
            size = data.find(b"\n", start) + 1 - start
            size = size if size > 0 else len(data) - start
        else:
            size = self._left or len(data)
        return data[start : start + size]

    def _parse(self, part: bytes) -> None:
        try:
            self._parser.feed_data(part)
        except httptools.HttpParserUpgrade:
            self._parse_without_upgrade()

    def _make_request(self) -> None:
        version = self._parser.get_http_version()
        request = HttpRequest(
            self._parser.get_method().decode(),
            self._url,
            self._headers,
            version=version,
            keep_alive=self._keep_alive and version == "1.1",
        )
        self._is_chunked, self._left = request.head.chunked, request.head.content_length
        self.request = request

    def _parse_without_upgrade(self) -> None:
        """Parses the head again without `Upgrade`, which is never granted here.

        The parser takes no body from a request that has it, so that its body would pass for the next
        request.
        """
        method = self._parser.get_method()
        if method == b"CONNECT":
            raise ProblemError(400, "CONNECT is for proxies, and this is none.")
        lines = [b"%b %b HTTP/%b" % (method, self._url, self._parser.get_http_version().encode())]
        lines += [b"%b: %b" % each for each in self._headers if each[0] != b"upgrade"]
        head_bytes = self.head_bytes
        self._parser = httptools.HttpRequestParser(self)
        self.start()
        self.head_bytes = head_bytes
        self._parser.feed_data(b"\r\n".join(lines) + _HEAD_END)

    def _count(self, part: bytes) -> None:
        if self._left:
            self._left -= len(part)
            return
        self._line += part
        if len(self._line) > LARGEST_HEAD:
            raise _head_too_large()
        if self._line.endswith(b"\n") and not self._in_trailers:
            # The parser has checked the line.
            size = int(self._line.partition(b";")[0], 16)
            self._left = size + len(b"\r\n") if size else 0
            self._in_trailers = size == 0
            self._line = b""


def _head_too_large() -> ProblemError:
    return ProblemError(
        431, f"Request line and headers are larger than {LARGEST_HEAD:,} bytes. Send fewer.",
        allowed=f"{LARGEST_HEAD} bytes",
    )  # fmt: skip
