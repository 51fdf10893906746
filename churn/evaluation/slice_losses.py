"""What a model loses within one group of customers, and which loss the group's rows can show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, norm

from churn.evaluation.intervals import Interval
from churn.evaluation.paired_shares import tango_interval, tango_score
from churn.evaluation.weighted import Floats, Labels

_ROUNDING = 1e-9
POWER = 0.8
"""How often the smallest detectable loss is found, where it is true."""


@dataclass(frozen=True, eq=False)
class LeaversReached:
    """A slice's leavers, and which of them each of two models selects: bool[n]."""

    slice_name: str
    ours: npt.NDArray[np.bool_]
    theirs: npt.NDArray[np.bool_]

    @property
    def rows(self) -> int:
        """How many leavers."""
        return len(self.ours)

    @cached_property
    def _gained_and_lost(self) -> tuple[int, int]:
        return int((self.ours & ~self.theirs).sum()), int((self.theirs & ~self.ours).sum())

    @property
    def difference(self) -> float:
        """Share of the leavers that ours selects, less theirs."""
        gained, lost = self._gained_and_lost
        return (gained - lost) / self.rows

    @property
    def loss(self) -> float:
        """The share of leavers that is lost; negative where some are gained."""
        return -self.difference

    @property
    def shares(self) -> str:
        """Both shares in words."""
        return f"{self.ours.mean():.1%} of {self.rows:,} leavers, before {self.theirs.mean():.1%}"

    @property
    def p_value(self) -> float:
        """Probability of so large a loss, or a larger one, where nothing is lost."""
        return float(norm.cdf(tango_score(*self._gained_and_lost, self.rows)))

    def interval(self, error: float) -> Interval:
        """Both one-sided bounds of the difference, each wrong with probability `error`."""
        return tango_interval(*self._gained_and_lost, self.rows, error=error)

    def detectable(self, error: float, margin: float) -> float | None:
        """The smallest true loss that is shown, and larger than the margin, in 4 of 5 cases.

        It assumes that no other leaver is gained; None where these rows show no loss at all.
        """
        enough = max(ceil(float(norm.isf(error)) ** 2), int(margin * self.rows + _ROUNDING) + 1)
        if enough > self.rows:
            return None
        return float(beta.ppf(POWER, enough, self.rows - enough + 1))


@dataclass(frozen=True, eq=False)
class PredictedRate:
    """A slice's predicted probabilities and outcomes, of n customers."""

    slice_name: str
    chance: Floats
    target: Labels

    @property
    def rows(self) -> int:
        """How many customers."""
        return len(self.chance)

    @property
    def difference(self) -> float:
        """Mean predicted probability less the share that left."""
        return float(self.chance.mean() - self.target.mean())

    @property
    def loss(self) -> float:
        """The difference without its sign."""
        return abs(self.difference)

    @property
    def shares(self) -> str:
        """Both shares in words."""
        observed = f"{self.target.mean():.1%} observed of {self.rows:,} customers"
        return f"{self.chance.mean():.1%} predicted, {observed}"

    @cached_property
    def standard_error(self) -> float:
        """Of the difference, where every probability is true (Spiegelhalter 1986, Stat Med 5:421-433)."""
        return sqrt(float((self.chance * (1 - self.chance)).sum())) / self.rows

    @property
    def p_value(self) -> float:
        """Probability of so large a difference, on either side, where every probability is true."""
        if self.standard_error == 0:
            return float(self.difference == 0)
        return float(2 * norm.sf(abs(self.difference) / self.standard_error))

    def interval(self, error: float) -> Interval:
        """Bounds of the difference, together wrong with probability `error`."""
        half = float(norm.isf(error / 2)) * self.standard_error
        method = "normal, spread of the predictions"
        middle = self.difference
        return Interval(lower=middle - half, upper=middle + half, level=1 - error, method=method)

    def detectable(self, error: float, margin: float) -> float | None:
        """The smallest true difference that is shown, and larger than the margin, in 4 of 5 cases."""
        shown = max(float(norm.isf(error / 2)) * self.standard_error, margin)
        return shown + float(norm.ppf(POWER)) * self.standard_error
