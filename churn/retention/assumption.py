"""A figure that a plan rests on: a distribution, and whether it is assumed or was measured."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from churn.frozen_model import FrozenSettings
from churn.retention.value_settings import Positive

Floats = NDArray[np.float64]
ASSUMED, ESTIMATED, MEASURED = "assumed", "estimated", "measured in experiment"
Source = Annotated[
    str, Field(pattern=r"^(assumed|measured in experiment [A-Za-z0-9][A-Za-z0-9._-]*)$")
]
"""`assumed`, or `measured in experiment NAME`."""

_Share = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]


class _Assumption(FrozenSettings):
    """What every assumption has.

    Attributes:
        source: whether it is assumed, or in which experiment it was measured.
        basis: why that figure: a publication, a person, a report.
    """

    source: Source
    basis: Annotated[str, Field(min_length=1)]

    @property
    def assumed(self) -> bool:
        """Whether nobody has measured it here."""
        return self.source == ASSUMED


class Beta(_Assumption):
    """A share that follows Beta(alpha, beta)."""

    distribution: Literal["beta"]
    alpha: Positive
    beta: Positive

    @property
    def mean(self) -> float:
        """The expected share."""
        return self.alpha / (self.alpha + self.beta)

    def draws(self, rng: np.random.Generator, count: int) -> Floats:
        """Draws of the share, float64[count]."""
        return rng.beta(self.alpha, self.beta, count)


class Normal(_Assumption):
    """A share that follows a normal distribution, cut off at -1 and 1: what an experiment measures."""

    distribution: Literal["normal"]
    mean: _Share
    standard_deviation: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]

    def draws(self, rng: np.random.Generator, count: int) -> Floats:
        """Draws of the share, float64[count]."""
        return np.clip(rng.normal(self.mean, self.standard_deviation, count), -1.0, 1.0)


class Fixed(_Assumption):
    """A share that is taken as known."""

    distribution: Literal["fixed"]
    value: _Share

    @property
    def mean(self) -> float:
        """The share."""
        return self.value

    def draws(self, _rng: np.random.Generator, count: int) -> Floats:
        """The same share `count` times."""
        return np.full(count, self.value)


def _not_negative(given: Beta | Normal | Fixed) -> Beta | Normal | Fixed:
    if given.mean < 0:
        raise ValueError("must be a share of customers, 0 to 1")
    return given


Effect = Annotated[Beta | Normal | Fixed, Field(discriminator="distribution")]
"""A share that may be negative: an offer can drive customers away."""
Probability = Annotated[Effect, AfterValidator(_not_negative)]
"""A share of customers."""
