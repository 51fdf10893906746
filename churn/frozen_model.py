"""The two base classes of what pydantic validates: records, and settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError


def first_fault(error: ValidationError) -> str:
    """Returns the first of what is not valid: its place, and what is wrong there."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "the top level"
    return f"not valid at {place}: {first['msg']}"


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
