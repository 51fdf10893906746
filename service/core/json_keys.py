"""Keys that stand twice in one object of JSON: decoders keep the last and say nothing."""

from __future__ import annotations

import json
from typing import Any


class RepeatedKeyError(ValueError):
    """An object repeats a key.

    Attributes:
        key: the key.
    """

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Returns an object from its keys and values; a hook for `json.loads`.

    Raises:
        RepeatedKeyError: a key stands among them twice.
    """
    content = dict(pairs)
    if len(content) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise RepeatedKeyError(key)
            seen.add(key)
    return content


def find_repeated_key(text: bytes, content: Any) -> str | None:
    """Returns a key that an object repeats; None if there is none.

    Args:
        text: the JSON.
        content: what was decoded from it.
    """
    # Each key has a colon behind it: as many colons as keys are left, and none was repeated.
    if type(content) is dict and text.count(b":") == len(content):
        return None
    try:
        json.loads(text, object_pairs_hook=refuse_repeated_keys, parse_int=str)
    except RepeatedKeyError as error:
        return error.key
    return None
