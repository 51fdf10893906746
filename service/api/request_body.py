"""Request bodies decoded strictly; if that fails, the field at fault is named."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from math import isfinite
from typing import Any

import msgspec

from churn.contract.refusals import quote_value
from churn.scoring.wrappers import wrapper_sentence
from service.api.problems import ProblemError
from service.core.json_keys import find_repeated_key

DEEPEST = 8
"""Levels of lists and objects in a body; no request needs more than four."""
_WIDEST = 64  # bits of a whole number

_FIRST_NAME = re.compile(rb'\s*\{\s*"(\w{1,40})"', re.ASCII)
_STRUCTURE = re.compile(
    rb'(?s:"(?P<text>[^"\\]*+(?:\\.[^"\\]*+)*+)"?+(?P<colon>\s*+:)?)'
    rb"|(?P<open>[\[{]++)|(?P<close>[\]}]++)"
)
_decode = msgspec.json.Decoder().decode


def body_too_large(limit: int) -> ProblemError:
    """Returns the problem of a body beyond the limit: 413."""
    return ProblemError(
        413, f"The body is larger than the {limit:,} bytes allowed here. Send less.",
        field="body", allowed=f"{limit} bytes",
    )  # fmt: skip


def parse_json(body: bytes) -> Any:
    """Decodes strict JSON.

    Raises:
        ProblemError: 400, or 422 with the field if a field's value is at fault, or a key stands twice
            in one object.
    """
    body = body.removeprefix(BOM_UTF8)
    if not body:
        raise ProblemError(400, "The body is empty. Send a JSON object with the customer's fields.")
    try:
        content = _decode(body)
        key = find_repeated_key(body, content)
    except RecursionError:
        raise _too_deep(body) from None
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise _fault(body, error) from None
    if key is not None:
        raise repeated_key(key)
    return content


def repeated_key(key: str) -> ProblemError:
    """Returns the problem of an object in which a key stands twice: 422."""
    name = quote_value(key)
    return ProblemError(
        422, f"Field {name} stands twice in one object. Send it once.", field=key[:40],
        allowed="each field once",
    )  # fmt: skip


def require_no_wrapper(body: bytes, own: str = "") -> None:
    """Refuses an object that begins with the wrapper of another tool; `own` is the route's own.

    Raises:
        ProblemError: 422, with the wrapper's name and the way out.
    """
    first = _FIRST_NAME.match(body)
    name = first[1].decode() if first else ""
    if name != own and (sentence := wrapper_sentence([name])):
        raise ProblemError(422, sentence, field=name)


def _fault(body: bytes, error: Exception) -> ProblemError:
    """Returns the problem of a body that is not strict JSON.

    Python's own decoder accepts more: if it can read the body, the field at fault can be named.
    """
    if _depth(body)[0] > DEEPEST:
        return _too_deep(body)
    reason = str(error).rstrip(".")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return ProblemError(400, f"The body is not JSON: {reason}. Send a JSON object.")
    for field, value in _leaves(content):
        if isinstance(value, float) and not isfinite(value):
            fault, allowed = "is not a finite number. Give one.", "a finite number"
        elif isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            fault, allowed = "holds half a surrogate pair. Send whole characters.", "Unicode text"
        elif isinstance(value, int) and value.bit_length() > _WIDEST:
            fault, allowed = "is too large for a number here.", "a number of at most 64 bits"
        else:
            continue
        text = quote_value(value)
        return ProblemError(
            422, f"Field '{field}': {text} {fault}", field=field, value=text, allowed=allowed
        )
    return ProblemError(400, f"The body is not strict JSON: {reason}. Send a JSON object.")


def _leaves(content: Any, field: str = "body", depth: int = 0) -> Iterator[tuple[str, Any]]:
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
    """Returns how deep a body is nested, and under which of a customer's fields it is too deep."""
    depth = deepest = 0
    name = ""
    named_at = 2 if body.lstrip()[:1] == b"[" else 1
    for token in _STRUCTURE.finditer(body):
        if token.lastgroup == "open":
            depth += token.end() - token.start()
            deepest = max(deepest, depth)
            if depth > DEEPEST:
                break
        elif token.lastgroup == "close":
            depth -= token.end() - token.start()
        elif token.lastgroup == "colon" and depth == named_at:
            name = token["text"][:40].decode("utf-8", "replace")
    return deepest, name
