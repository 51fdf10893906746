"""Whether a model does harm more often than it did: a test that may be looked at after every outcome.

Podkopaev & Ramdas 2022 (ICLR, "Tracking the risk of a deployed model and detecting harmful
distribution shifts"): columns may move as they like; only a rise of the mean loss beyond a tolerance
counts. The loss is the squared error of the probability (Brier). Its upper bound on the known
customers takes a share of the level; what is left is spent on a bet against the outcomes that
arrive (Waudby-Smith & Ramdas 2024, JRSS B 86:1-27), which is valid at every moment together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from pydantic import AwareDatetime, Field
from scipy.optimize import brentq

from churn.errors import InputError
from churn.evaluation.weighted import Floats
from churn.frozen_model import FrozenModel

LEVEL = 0.05
TOLERANCE = 0.002

_REFERENCE_SHARE = 0.2  # of the level
_BOLDEST = 0.75  # share of the wealth that a bet may risk
_FEWEST_KNOWN = 200


class RiskTest(FrozenModel):
    """The test after some outcomes; `after` gives the one after more.

    Attributes:
        bound: the mean loss that is still no harm: the known customers' upper bound and the tolerance.
        known_risk: mean loss of the known customers.
        level: how often the test alarms, at most, in all its time, where the risk has not risen.
        tolerance: rise of the mean loss that is accepted.
        outcomes: that arrived.
        total: of their losses.
        squares: sum of the squared losses.
        log_wealth: of the bet that the risk lies above the bound.
        alarmed_at: number of the outcome that raised the alarm; None for no alarm. An alarm stays.
    """

    bound: float
    known_risk: float
    level: float = Field(gt=0, lt=1)
    tolerance: float = Field(ge=0, lt=1)
    outcomes: int = Field(default=0, ge=0)
    total: float = 0.0
    squares: float = 0.0
    log_wealth: float = 0.0
    alarmed_at: int | None = None

    @property
    def risk(self) -> float | None:
        """Mean loss of the outcomes that arrived."""
        return self.total / self.outcomes if self.outcomes else None

    @property
    def alarms(self) -> bool:
        """Whether the risk has risen."""
        return self.alarmed_at is not None

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        if self.risk is None:
            return "No outcome has arrived, so nothing can be said about the risk."
        compared = (
            f"mean squared error {self.risk:.4f} over {self.outcomes:,} outcomes, {self.known_risk:.4f} "
            f"on the known customers, up to {self.bound:.4f} accepted"
        )
        if self.alarms:
            return (
                f"The model errs more than it did, since outcome {self.alarmed_at:,}: {compared}."
            )
        return f"No harm is shown: {compared}."

    def after(self, losses: Floats) -> RiskTest:
        """The test after more outcomes, in the order they became known.

        Splitting them makes no difference: what arrives one by one gives what arrives at once.
        """
        _check(losses)
        if not len(losses):
            return self
        before = self.outcomes + np.arange(len(losses), dtype=np.float64)
        sums = self.total + np.r_[0.0, losses.cumsum()]
        squares = self.squares + np.r_[0.0, np.square(losses).cumsum()]
        bet = _bets(before, sums[:-1], squares[:-1], self.bound)
        wealth = self.log_wealth + np.log1p(bet * (losses - self.bound)).cumsum()
        # Each wealth's share of the level; the rest went into the bound.
        over = np.flatnonzero(wealth >= -np.log(self.level * (1 - _REFERENCE_SHARE)))
        first = self.outcomes + int(over[0]) + 1 if over.size else None
        return self.model_copy(
            update={
                "outcomes": self.outcomes + len(losses),
                "total": float(sums[-1]),
                "squares": float(squares[-1]),
                "log_wealth": float(wealth[-1]),
                "alarmed_at": self.alarmed_at or first,
            }
        )


class RiskCheck(FrozenModel):
    """The test of one version as it was kept, after the outcomes that had come due.

    Attributes:
        version: of the model.
        number: 1, 2, ... among the checks of its model.
        checked_at: in UTC.
        until: all predictions before it have been read.
        test: its state.
        raises_alarm: whether it alarms for the first time.
    """

    version: str
    number: int = Field(ge=1)
    checked_at: AwareDatetime
    until: AwareDatetime
    test: RiskTest
    raises_alarm: bool


def start_risk_test(
    known_losses: Floats, *, level: float = LEVEL, tolerance: float = TOLERANCE
) -> RiskTest:
    """The test before any outcome.

    Args:
        known_losses: float64[n] in [0, 1], of customers that the model was not trained on.
        level: how often it may alarm without a rise of the risk.
        tolerance: rise of the mean loss that is accepted.

    Raises:
        InputError: too few known customers.
        ValueError: a loss is not between 0 and 1.
    """
    _check(known_losses)
    if len(known_losses) < _FEWEST_KNOWN:
        raise InputError(
            f"The risk test has {len(known_losses)} known customers and needs {_FEWEST_KNOWN}. "
            "Bring more customers whose outcome is known and that the model was not trained on."
        )
    return RiskTest(
        bound=min(1.0, upper_bound(known_losses, level * _REFERENCE_SHARE) + tolerance),
        known_risk=float(known_losses.mean()),
        level=level,
        tolerance=tolerance,
    )


def squared_errors(target: ArrayLike, probability: ArrayLike) -> Floats:
    """The loss of each customer, float64[n]."""
    return np.square(np.asarray(probability, np.float64) - np.asarray(target, np.float64))


def upper_bound(losses: Floats, level: float) -> float:
    """Above the mean of n losses in [0, 1], but for a share of samples: a bet on every lower mean lost."""
    gains = 1 - losses
    before = np.arange(len(gains))
    mean = (0.5 + np.r_[0.0, gains.cumsum()[:-1]]) / (before + 1)
    spread = (0.25 + np.r_[0.0, np.square(gains - mean).cumsum()[:-1]]) / (before + 1)
    bet = np.minimum(_BOLDEST, np.sqrt(2 * np.log(1 / level) / (len(gains) * spread)))

    def wealth(mean: float) -> float:
        return float(np.log1p(bet * (gains - mean)).sum() + np.log(level))

    if wealth(0.0) <= 0:
        return 1.0
    return 1.0 - float(brentq(wealth, 0.0, 1.0))


def _bets(before: Floats, sums: Floats, squares: Floats, bound: float) -> Floats:
    """The share of the wealth to bet on each loss, from the losses before it alone.

    It grows the wealth fastest if the next loss is as the ones before (approximate Kelly).
    """
    mean = (bound + sums) / (before + 1)
    spread = np.maximum((0.25 + squares) / (before + 1) - np.square(mean), 1e-4)
    edge = mean - bound
    kelly = edge / (spread + np.square(edge))
    return np.asarray(np.clip(kelly, 0.0, _BOLDEST / bound), dtype=np.float64)


def _check(losses: Floats) -> None:
    if not ((losses >= 0) & (losses <= 1)).all():
        raise ValueError("a loss is not a number between 0 and 1")
