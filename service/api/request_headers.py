"""What the service reads from a request's headers: its key, its id and the length of its body."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

Headers = Iterable[tuple[bytes, bytes]]
"""Names in lower case, and values."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
_BEARER = b"bearer "


class RequestHead(NamedTuple):
    """Headers of a request, read in one pass.

    Attributes:
        content_length: declared length of the body; 0 if none is declared.
        chunked: whether the body comes in chunks, its length undeclared.
        expects_continue: whether the caller waits for `100 Continue` before it sends the body.
        key: from `X-API-Key` or `Authorization: Bearer`; empty if there is none, None if there are
            two that differ.
        request_id: the caller's own; empty if there is none that can be returned.
        content_encoding: how the body is compressed; empty if it is not.
        origin: of the web page that asks; empty if none does.
    """

    content_length: int
    chunked: bool
    expects_continue: bool
    key: bytes | None
    request_id: str
    content_encoding: bytes
    origin: bytes


def read_head(headers: Headers) -> RequestHead:
    """Returns what a request's headers declare."""
    content_length, request_id = 0, ""
    content_encoding = origin = b""
    chunked = expects_continue = False
    key: bytes | None = b""
    for name, value in headers:
        if name == b"content-length":
            content_length = int(value)
        elif name == b"x-api-key":
            key = _same_key(key, value.strip())
        elif name == b"authorization" and value[: len(_BEARER)].lower() == _BEARER:
            key = _same_key(key, value[len(_BEARER) :].strip())
        elif name == b"transfer-encoding":
            chunked = True  # the parser allows no other
        elif name == b"expect" and value.lower() == b"100-continue":
            expects_continue = True
        elif name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            request_id = value.decode("ascii")
        elif name == b"content-encoding":
            content_encoding += b"," + value if content_encoding else value
        elif name == b"origin":
            origin = value
    return RequestHead(
        content_length, chunked, expects_continue, key, request_id, content_encoding, origin
    )


def _same_key(before: bytes | None, key: bytes) -> bytes | None:
    """Returns the key of both headers; None if they differ. An empty header has no key."""
    if not key or key == before:
        return before
    return None if before != b"" else key
