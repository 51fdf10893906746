"""Names of JSON's types, for sentences about a value that is no object."""

from __future__ import annotations

_NAMES = {list: "a list", str: "a text", type(None): "null", bool: "true or false"}


def type_name(value: object) -> str:
    """Returns the type of a decoded value: `a list`, `null`, `a number`."""
    return _NAMES.get(type(value), "a number")
