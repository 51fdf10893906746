"""The two base classes of what pydantic validates, records and settings, and what is wrong in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

_REQUIREMENTS = {
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "tuple_type": "must be a list, such as [a, b]",
    "dict_type": "must be a mapping of settings",
    "model_type": "must be a mapping of settings",
    "model_attributes_type": "must be a mapping of settings",
    "missing": "is required",
    "string_too_short": "must not be empty",
    "too_short": "must hold at least {min_length}",
    "too_long": "must hold at most {max_length}",
    "literal_error": "must be one of {expected}",
    "union_tag_invalid": "must have one of the kinds {expected_tags}",
    "union_tag_not_found": "must say its kind",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "string_pattern_mismatch": "must match {pattern}",
}


def first_fault(error: ValidationError) -> str:
    """Returns the first of what is not valid: its place, and what is wrong there."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "the top level"
    return f"not valid at {place}: {first['msg']}"


def requirement(error: Any) -> str:
    """Returns what a value must be, in words, after one of `ValidationError.errors()`: ours or pydantic's."""
    known = _REQUIREMENTS.get(error["type"])
    if known is not None:
        return known.format(**error.get("ctx", {}))
    reason: str = error["msg"].removeprefix("Value error, ").removeprefix("Input should ")
    return f"must {reason[:1].lower()}{reason[1:]}" if "Input should" in error["msg"] else reason


class FrozenModel(BaseModel):
    """A record that cannot be changed and refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FrozenSettings(FrozenModel):
    """Settings: a frozen model that converts no types, so the text "7" is not a number."""

    model_config = ConfigDict(strict=True)

    @classmethod
    def from_mapping(cls, plain: Mapping[str, Any]) -> Self:
        """Returns the settings that were dumped to these plain values; a list may be a tuple."""
        return cls.model_validate_json(json.dumps(plain))
