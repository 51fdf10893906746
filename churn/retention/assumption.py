"""A figure that a plan rests on: a distribution, and whether it is assumed or was measured."""

from __future__ import annotations

from math import exp, pi, sqrt
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field
from scipy.special import ndtr

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
    def expected(self) -> float:
        """The expected share."""
        return self.alpha / (self.alpha + self.beta)

    def draws(self, rng: np.random.Generator, count: int) -> Floats:
        """Draws of the share, float64[count]."""
        return rng.beta(self.alpha, self.beta, count)


class Normal(_Assumption):
    """A share that follows a normal distribution clipped to -1 and 1: what an experiment measures.

    Attributes:
        mean: before it is clipped.
        standard_deviation: the same.
    """

    lowest: ClassVar[float] = -1.0

    distribution: Literal["normal"]
    mean: _Share
    standard_deviation: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]

    @property
    def expected(self) -> float:
        """The expected share, clipped as its draws are."""
        below = _mean_above_zero(self.lowest - self.mean, self.standard_deviation)
        above = _mean_above_zero(self.mean - 1.0, self.standard_deviation)
        return self.mean + below - above

    def draws(self, rng: np.random.Generator, count: int) -> Floats:
        """Draws of the share, float64[count]."""
        return np.clip(rng.normal(self.mean, self.standard_deviation, count), self.lowest, 1.0)


class NormalShare(Normal):
    """A share of customers that follows a normal distribution clipped to 0 and 1."""

    lowest: ClassVar[float] = 0.0

    mean: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Fixed(_Assumption):
    """A share that is taken as known."""

    distribution: Literal["fixed"]
    value: _Share

    @property
    def expected(self) -> float:
        """The share."""
        return self.value

    def draws(self, _rng: np.random.Generator, count: int) -> Floats:
        """The same share `count` times."""
        return np.full(count, self.value)


def _mean_above_zero(mean: float, deviation: float) -> float:
    """E[max(X, 0)] of a normal X."""
    z = mean / deviation
    return mean * float(ndtr(z)) + deviation * exp(-z * z / 2) / sqrt(2 * pi)


def _not_negative(given: Beta | NormalShare | Fixed) -> Beta | NormalShare | Fixed:
    if given.expected < 0:
        raise ValueError("must be a share of customers, 0 to 1")
    return given


Effect = Annotated[Beta | Normal | Fixed, Field(discriminator="distribution")]
"""A share that may be negative: an offer can drive customers away."""
Probability = Annotated[
    Beta | NormalShare | Fixed, Field(discriminator="distribution"), AfterValidator(_not_negative)
]
"""A share of customers."""
