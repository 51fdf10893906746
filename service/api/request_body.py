"""Bodies: read up to a limit, decoded strictly, and where that fails, the field at fault found."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from math import isfinite
from typing import Any

import msgspec
from fastapi import Request

from churn.contract.refusals import quote_value
from service.api.problems import ProblemError

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

DEEPEST = 8
"""Levels of lists and objects in a body; no request needs more than four."""

decode = msgspec.json.Decoder().decode


class ClientDisconnectedError(Exception):
    """Whoever asked is gone before the request was whole."""


async def read_body(receive: Receive, limit: int, declared: int = 0) -> bytes:
    """A request's body.

    Args:
        receive: ASGI's.
        limit: bytes; more are refused, as soon as that is known.
        declared: Content-Length, 0 where there is none.

    Raises:
        ProblemError: 413.
        ClientDisconnectedError: the connection was closed.
    """
    if declared > limit:
        raise body_too_large(limit)
    message = await receive()
    if message["type"] != "http.request":
        raise ClientDisconnectedError
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        parts, size = [body], len(body)
        while message.get("more_body"):
            message = await receive()
            if message["type"] != "http.request":
                raise ClientDisconnectedError
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                raise body_too_large(limit)
        body = b"".join(parts)
    if len(body) > limit:
        raise body_too_large(limit)
    return body


async def read_request_body(request: Request, limit: int) -> bytes:
    """The body of a request that FastAPI has let through.

    Raises:
        ProblemError: 413.
        ClientDisconnectedError: the connection was closed.
    """
    declared = request.headers.get("content-length", "")
    return await read_body(request.receive, limit, int(declared) if declared.isdecimal() else 0)


def body_too_large(limit: int) -> ProblemError:
    """413."""
    return ProblemError(
        413, f"The body is larger than the {limit:,} bytes allowed here. Send less.",
        field="body", allowed=f"{limit} bytes",
    )  # fmt: skip


def parse_json(body: bytes) -> Any:
    """A JSON value; what is not strict JSON is refused by its field where it can be told.

    Raises:
        ProblemError: 400, or 422 where a field's value is what JSON or the contract cannot have.
    """
    if not body:
        raise ProblemError(400, "The body is empty. Send a JSON object with the customer's fields.")
    try:
        return decode(body)
    except RecursionError:
        raise _too_deep(body) from None
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise _fault(body, error) from None


def require_shallow(body: bytes) -> None:
    """Refuses what is nested deeper than any request needs.

    Raises:
        ProblemError: 422.
    """
    if _depth(body)[0] > DEEPEST:
        raise _too_deep(body)


def _fault(body: bytes, error: Exception) -> ProblemError:
    """Python's own reader is laxer: it may read what was refused, and then the field can be named."""
    if _depth(body)[0] > DEEPEST:
        return _too_deep(body)
    reason = str(error).rstrip(".")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return ProblemError(400, f"The body is not JSON: {reason}. Send a JSON object.")
    for field, value in _leaves(content):
        if isinstance(value, float) and not isfinite(value):
            text = quote_value(value)
            return ProblemError(
                422, f"Field '{field}': {text} is not a finite number. Give one.",
                field=field, value=text, allowed="a finite number",
            )  # fmt: skip
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            text = quote_value(value)
            return ProblemError(
                422, f"Field '{field}': {text} holds half a surrogate pair. Send whole characters.",
                field=field, value=text, allowed="Unicode text",
            )  # fmt: skip
        if isinstance(value, int) and value.bit_length() > 64:  # noqa: PLR2004
            text = quote_value(value)
            return ProblemError(
                422, f"Field '{field}': {text} is too large for a number here.",
                field=field, value=text, allowed="a number of at most 64 bits",
            )  # fmt: skip
    return ProblemError(400, f"The body is not strict JSON: {reason}. Send a JSON object.")


def _leaves(content: Any, field: str = "body", depth: int = 0) -> Any:
    if isinstance(content, dict) and depth <= DEEPEST:
        for name, value in content.items():
            yield name, name
            yield from _leaves(value, name, depth + 1)
    elif isinstance(content, list) and depth <= DEEPEST:
        for value in content:
            yield from _leaves(value, field, depth + 1)
    else:
        yield field, content


def _too_deep(body: bytes) -> ProblemError:
    field = _depth(body)[1] or "body"
    return ProblemError(
        422, f"Field '{field}' is nested deeper than {DEEPEST} levels. Give the value itself.",
        field=field, value="a nested value", allowed=f"at most {DEEPEST} levels",
    )  # fmt: skip


def _depth(body: bytes) -> tuple[int, str]:
    """How deep a body goes, and under which of a customer's fields it goes too deep."""
    depth = deepest = place = 0
    name = ""
    named_at = 2 if body.lstrip()[:1] == b"[" else 1
    length = len(body)
    while place < length:
        letter = body[place]
        if letter == 0x22:  # a quotation mark  # noqa: PLR2004
            end = place + 1
            while end < length and body[end] != 0x22:  # noqa: PLR2004
                end += 2 if body[end] == 0x5C else 1  # noqa: PLR2004
            if depth == named_at and body[end + 1 : end + 16].lstrip()[:1] == b":":
                name = body[place + 1 : min(end, place + 41)].decode("utf-8", "replace")
            place = end
        elif letter in b"[{":
            depth += 1
            deepest = max(deepest, depth)
            if depth > DEEPEST:
                break
        elif letter in b"]}":
            depth -= 1
        place += 1
    return deepest, name
