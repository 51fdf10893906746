"""What every part of a contract is: frozen, and without a field that nobody reads."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Frozen; refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
