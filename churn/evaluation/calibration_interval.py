"""Where the true calibration error plausibly lies.

The measured error is a sum of absolute values, so noise pushes it up, most where the model is well
calibrated; resampling adds the same noise once more. Here a test is inverted instead: a true error
lies inside where the measured one is not unlikely under it. How the error is spread over the bins must
be assumed for that. It is taken from the bins themselves, drawn towards the curve that a wrong
intercept and slope would leave (Cox 1958), as far as chance explains the rest.

`python -m benchmarks.evidence_calibration` measures how often such an interval holds the truth;
docs/evaluation.md has the table.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import logit

from churn.evaluation.calibration import EceBins
from churn.evaluation.weighted import Floats, Labels

SIMULATIONS = 2000
_EDGE = 1e-6
_HALVINGS = 30
_LINE = 2  # an intercept and a slope


def calibration_error_bounds(
    target: Labels, probability: Floats, *, level: float, seed: int
) -> tuple[float, float]:
    """Bounds of the true mean |observed - predicted| over equal-mass bins.

    Args:
        target: int8[n], 1 for a customer who left.
        probability: float64[n].
        level: how often such an interval holds the true error.
        seed: of the simulated samples.

    Returns:
        Lower and upper bound; the lower one is 0 where a calibrated model could well look like this.

    Examples:
        >>> drawn = np.random.default_rng(0).random((2, 2000))
        >>> left = (drawn[1] < drawn[0]).astype(np.int8)  # a perfectly calibrated model
        >>> calibration_error_bounds(left, drawn[0], level=0.95, seed=1)[0]
        0.0
    """
    bins = EceBins.from_probability(probability)
    rows = bins.member.sum(axis=1)
    share, predicted = rows / rows.sum(), bins.member @ probability / rows
    gap = bins.member @ (target - probability) / rows
    # Half a customer away from 0 and 1: a bin in which nobody left is not known exactly.
    observed = np.clip(predicted + gap, 0.5 / rows, 1 - 0.5 / rows)
    spread = np.sqrt(observed * (1 - observed) / rows)
    noise = np.random.default_rng(seed).normal(size=(SIMULATIONS, len(rows))) * spread
    shape = _shape(gap, spread, predicted, share)
    measured, tail = float(np.abs(gap) @ share), (1 - level) / 2

    def above(true: float) -> float:
        """How often a sample would show at least the measured error."""
        return float((np.abs(true * shape + noise) @ share >= measured).mean())

    highest = measured + 8 * float(np.sqrt((np.square(share * spread)).sum()))
    lower = _crossing(lambda true: above(true) >= tail, 0.0, measured)
    upper = _crossing(lambda true: above(true) > 1 - tail, 0.0, highest)
    return lower, max(lower, upper)


def _shape(gap: Floats, spread: Floats, predicted: Floats, share: Floats) -> Floats:
    """How a true error of 1 is spread over the bins, float64[bins]."""
    chance = np.clip(predicted, _EDGE, 1 - _EDGE)
    slope = chance * (1 - chance)  # of the probability, a step of the log-odds
    design = np.column_stack([slope, slope * logit(chance)])
    weights = np.linalg.lstsq(design / spread[:, None], gap / spread, rcond=None)[0]
    line = design @ weights
    rest = float(np.square((gap - line) / spread).sum())
    expected = max(0, len(gap) - _LINE)
    kept = max(0.0, 1 - expected / rest) if rest > 0 else 0.0
    shape = line + kept * (gap - line)
    size = float(np.abs(shape) @ share)
    return shape / size if size > 0 else np.ones_like(gap)


def _crossing(reached: Callable[[float], bool], low: float, high: float) -> float:
    """The smallest value between two from which on a condition holds, by halving."""
    if reached(low):
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high
