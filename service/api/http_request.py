"""A request of HTTP, whole or on its way, and its answer; no library's form of either."""

from __future__ import annotations

from http import HTTPStatus
from time import perf_counter
from typing import NamedTuple
from urllib.parse import unquote

import httptools

from service.api.problems import PROBLEM_JSON, ProblemError
from service.api.request_headers import Headers, read_head

_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", PROBLEM_JSON.encode())
_STATUS_LINES = {
    int(status): b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus
}


class HttpRequest:
    """A request.

    Attributes:
        method: in capital letters.
        url: as it was sent.
        path: of the URL, decoded.
        query: of the URL, as it was sent.
        headers: names in lower case, and values.
        version: of HTTP, `1.1` or `1.0`.
        keep_alive: whether the caller keeps the connection open after the answer.
        head: what the headers declare.
        began: when the head was complete, by `perf_counter`.
        own_id: made here; the id of its prediction if it asks for one score.
        limit: most bytes of its body.
        refusal: why it will be refused as soon as it is whole; None if it will not.
        body: complete when the request is answered.
        reserved: bytes of its body that count towards the memory of all large bodies.
        codings: in which its body was compressed; none if it is not, or not any more.
        shared_headers: of its answer, whatever the answer is.
        has_capacity: whether it counts towards the requests that are answered at once.
    """

    __slots__ = (
        "began", "body", "codings", "has_capacity", "head", "headers", "keep_alive", "limit", "method", "own_id", "path",
        "query", "refusal", "reserved", "shared_headers", "url", "version",
    )  # fmt: skip

    def __init__(
        self, method: str, url: bytes, headers: Headers, *, version: str, keep_alive: bool
    ) -> None:
        self.began = perf_counter()
        self.method = method
        self.url = url
        self.path, self.query = _split(url)
        self.headers = headers
        self.version = version
        self.keep_alive = keep_alive
        self.head = read_head(headers)
        self.own_id = ""
        self.limit = 0
        self.refusal: ProblemError | None = None
        self.body = b""
        self.reserved = 0
        self.codings: tuple[str, ...] = ()
        self.shared_headers: Headers = ()
        self.has_capacity = False

    @property
    def request_id(self) -> str:
        """The caller's id, or its own."""
        return self.head.request_id or self.own_id


class Answer(NamedTuple):
    """An answer whose body is complete.

    Attributes:
        status: of HTTP.
        headers: all but those that every answer has.
        body: bytes.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def json_answer(body: bytes, request_id: str) -> Answer:
    """Returns a successful answer."""
    length = (b"content-length", b"%d" % len(body))
    return Answer(200, [length, _JSON, (b"x-request-id", request_id.encode())], body)


def problem_answer(problem: ProblemError, request_id: str, *, in_v2: bool = False) -> Answer:
    """Returns the answer to a request that is refused; `in_v2` with the sentence where V2 has it."""
    body = problem.body(request_id, in_v2=in_v2)
    own = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    length = (b"content-length", b"%d" % len(body))
    identity = [(b"x-request-id", request_id.encode())] if request_id else []
    return Answer(problem.status, [_PROBLEM, *own, length, *identity], body)


def encode_head(status: int, headers: Headers) -> bytes:
    """Returns status line and headers as they are sent."""
    lines = [_STATUS_LINES[status]]
    for name, value in headers:
        lines += (name, b": ", value, b"\r\n")
    lines.append(b"\r\n")
    return b"".join(lines)


def _split(url: bytes) -> tuple[str, bytes]:
    try:
        parsed = httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError:
        return url.decode("latin-1"), b""
    path = (parsed.path or b"/").decode("latin-1")
    return (unquote(path) if "%" in path else path), parsed.query or b""
