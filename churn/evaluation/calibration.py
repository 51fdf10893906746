"""Whether a predicted 30% comes true three times in ten.

Bins hold equally many customers: with bins of equal width the crowded ones hide the sparse ones
and the error is estimated with more bias (Roelofs et al. 2022, AISTATS, "Mitigating bias in
calibration error estimation").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy.special import expit, logit
from scipy.stats import rankdata

from churn.evaluation.weighted import Floats, Labels, Weights
from churn.frozen_model import FrozenModel

BINS = 10
_SIMULATIONS = 1000
_CELLS = 4_000_000
_EDGE = 1e-9
_CONVERGED = 1e-10


class ReliabilityBin(FrozenModel):
    """One group of customers with similar predictions.

    Attributes:
        rows: customers in it.
        predicted: their mean predicted probability.
        observed: the share of them who left.
        lower: what a perfectly calibrated model would show at least, in 95 of 100 samples.
        upper: what it would show at most.
    """

    rows: int = Field(ge=1)
    predicted: float
    observed: float
    lower: float
    upper: float


class Reliability(FrozenModel):
    """The reliability curve and its summary figures.

    Attributes:
        bins: by rising prediction.
        ece: mean |observed - predicted| over the bins, weighted by their rows.
        noise_mean: the error a perfectly calibrated model would show on as many rows, on average.
        noise_upper: the error it would exceed in 1 sample of 20.
        intercept: calibration in the large: log-odds to add so that totals agree; 0 is perfect.
        slope: factor on the log-odds that fits best; 1 is perfect, below 1 is overconfident.
    """

    bins: tuple[ReliabilityBin, ...]
    ece: float
    noise_mean: float
    noise_upper: float
    intercept: float
    slope: float

    @property
    def within_noise(self) -> bool:
        """Whether the error is one that a perfectly calibrated model could well have shown."""
        return self.ece <= self.noise_upper


@dataclass(frozen=True)
class EceBins:
    """Which equal-mass bin each row is in; tied predictions share one."""

    member: npt.NDArray[np.float64]

    @classmethod
    def from_probability(cls, probability: Floats, bins: int = BINS) -> EceBins:
        """Returns the bins of rows ranked by their prediction."""
        share = (rankdata(probability) - 0.5) / len(probability)
        index = np.minimum((share * bins).astype(np.int64), bins - 1)
        used = np.unique(index)
        return cls(member=(used[:, None] == index).astype(np.float64))

    def error(self, residual: Floats, weights: Weights) -> Floats:
        """Expected calibration error of every weighting, float64[replicates].

        `residual` is target less probability; weights are [rows, replicates].
        """
        gaps: Floats = np.abs((self.member * residual) @ weights).sum(axis=0)
        return np.asarray(gaps / weights.sum(axis=0, dtype=np.float64), dtype=np.float64)


def expected_calibration_error(target: Labels, probability: Floats, bins: int = BINS) -> float:
    """Mean |observed - predicted| over equal-mass bins, weighted by their rows.

    The binned estimate of Naeini, Cooper & Hauskrecht 2015 (AAAI). It is never 0 on a finite
    sample, not even for a perfect model: read it beside `Reliability.noise_mean`.
    """
    once = np.ones((len(target), 1))
    return float(EceBins.from_probability(probability, bins).error(target - probability, once)[0])


def assess_calibration(target: Labels, probability: Floats, *, seed: int) -> Reliability:
    """Computes the reliability curve, its error, and how much of that error is noise.

    The noise is simulated: outcomes are drawn from the predictions themselves 1,000 times, which
    is what a perfectly calibrated model would meet (consistency bars, Bröcker & Smith 2007,
    Weather and Forecasting 22:651-661).
    """
    bins = EceBins.from_probability(probability)
    rows = bins.member.sum(axis=1)
    predicted = bins.member @ probability / rows
    observed = bins.member @ target.astype(np.float64) / rows
    simulated = _simulated_rates(bins, probability, seed)
    errors = (np.abs(simulated - predicted[:, None]) * rows[:, None]).sum(axis=0) / rows.sum()
    lower, upper = np.quantile(simulated, [0.025, 0.975], axis=1)
    intercept, slope = calibration_line(target, probability)
    return Reliability(
        bins=tuple(
            ReliabilityBin(rows=int(count), predicted=p, observed=o, lower=low, upper=high)
            for count, p, o, low, high in zip(
                *(each.tolist() for each in (rows, predicted, observed, lower, upper)), strict=True
            )
        ),
        ece=expected_calibration_error(target, probability),
        noise_mean=float(errors.mean()),
        noise_upper=float(np.quantile(errors, 0.95)),
        intercept=intercept,
        slope=slope,
    )


def _simulated_rates(bins: EceBins, probability: Floats, seed: int) -> Floats:
    """Churn rates per bin, float64[bins, simulations], had every prediction been exact."""
    generator = np.random.default_rng(seed)
    chunk = max(1, _CELLS // len(probability))
    parts = []
    for start in range(0, _SIMULATIONS, chunk):
        size = min(chunk, _SIMULATIONS - start)
        happened = generator.random((size, len(probability))) < probability
        parts.append(bins.member @ happened.T.astype(np.float64))
    rates: Floats = np.concatenate(parts, axis=1) / bins.member.sum(axis=1, keepdims=True)
    return rates


def calibration_line(target: Labels, probability: Floats) -> tuple[float, float]:
    """Calibration intercept and slope on the log-odds scale.

    The slope comes from regressing the outcome on the predicted log-odds (Cox 1958); the intercept
    is calibration in the large, fitted with the slope held at 1 (Van Calster et al. 2019, BMC
    Medicine 17:230).

    Returns:
        (intercept, slope); the slope is 1 where all predictions are equal.
    """
    score = np.asarray(logit(np.clip(probability, _EDGE, 1 - _EDGE)), dtype=np.float64)
    once = np.ones((len(score), 1))
    intercept = float(_logistic_fit(once, target, offset=score)[0])
    if np.ptp(score) == 0:
        return intercept, 1.0
    both = np.column_stack([once, score])
    return intercept, float(_logistic_fit(both, target, offset=np.zeros(len(score)))[1])


def _logistic_fit(design: Floats, target: Labels, offset: Floats) -> Floats:
    """Maximum likelihood by Newton's method; scikit-learn's has no offset."""
    weights = np.zeros(design.shape[1])
    for _ in range(50):
        chance = expit(design @ weights + offset)
        spread = np.maximum(chance * (1 - chance), 1e-12)
        gradient = design.T @ (target - chance)
        step = np.linalg.lstsq(design.T @ (design * spread[:, None]), gradient, rcond=None)[0]
        # The cap keeps the slope finite on separable data.
        weights += np.clip(step, -2, 2)
        if np.abs(step).max() < _CONVERGED:
            break
    return weights
