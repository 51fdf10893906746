"""How much work goes into explanations; loads pydantic alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from churn.frozen_model import FrozenSettings


class ExplanationSettings(FrozenSettings):
    """What an explanation is made from.

    Attributes:
        samples: bootstrap refits behind the stability of reasons.
        customers: customers whose reasons are compared, at even steps through the rows.
        top: how many reasons a customer gets.
        seed: fixes the bootstrap samples; fewer samples are the first of more.
    """

    samples: Annotated[int, Field(ge=1, le=1000)] = 20
    customers: Annotated[int, Field(ge=20, le=100_000)] = 1000
    top: Annotated[int, Field(ge=1, le=20)] = 3
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 7
