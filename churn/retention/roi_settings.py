"""How the return of a campaign is simulated."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from churn.frozen_model import FrozenSettings


class RoiSettings(FrozenSettings):
    """How the return is simulated.

    Attributes:
        draws: of all assumptions.
        seed: fixes them.
    """

    draws: Annotated[int, Field(ge=1000, le=1_000_000)] = 10_000
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 7
