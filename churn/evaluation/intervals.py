"""Intervals of figures, by resampling the customers.

A replicate draws as many customers as there are, with replacement (Efron & Tibshirani 1993, "An
Introduction to the Bootstrap"). The fitted models are held fixed, so an interval says how far the
figure would move with other customers, not with another training set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator
from scipy.stats import norm

from churn.evaluation.calibration_interval import calibration_error_bounds
from churn.evaluation.metrics import row_log_loss, validate_predictions
from churn.evaluation.weighted import Floats, Labels, RankedRows, ScoreGroups, ratio
from churn.frozen_model import FrozenModel

LEVEL = 0.95
_WEIGHTS_BYTES = 64 * 2**20


class Interval(FrozenModel):
    """A range that a figure plausibly lies in.

    Attributes:
        level: how often such a range holds the true value.
        method: how it was computed, in a few words.
    """

    lower: float
    upper: float
    level: float = Field(default=LEVEL, gt=0, lt=1)
    method: str

    @model_validator(mode="after")
    def _ordered(self) -> Interval:
        if self.lower > self.upper:
            raise ValueError("an interval's lower bound lies above its upper bound")
        return self

    def covers(self, value: float) -> bool:
        """Whether the value lies inside, bounds included."""
        return self.lower <= value <= self.upper

    def span(self, form: str = ".4f") -> str:
        """Returns the bounds as text, each in the given format."""
        return f"{self.lower:{form}} to {self.upper:{form}}"


def normal_quantile(level: float = LEVEL) -> float:
    """Standard errors from an estimate to the bounds of its two-sided normal interval."""
    return float(norm.ppf((1 + level) / 2))


def rows_needed(auc: float, half_width: float, share: float) -> int:
    """How many rows tell a ROC-AUC to a half-width, by its usual standard error.

    Hanley & McNeil 1982 (Radiology 143:29-36), without the terms that vanish with many rows.

    Args:
        auc: the ROC-AUC.
        half_width: how far its two-sided normal interval may reach to either side.
        share: share of the rows that are of one outcome, between 0 and 1.

    Examples:
        >>> rows_needed(0.8, 0.05, 0.2654), rows_needed(0.8, 0.05, 0.1414)
        (468, 821)
    """
    of_left = auc / (2 - auc) - auc**2
    of_stayed = 2 * auc**2 / (1 + auc) - auc**2
    variance = (share * of_left + (1 - share) * of_stayed) / (share * (1 - share))
    return ceil(variance * (normal_quantile() / half_width) ** 2)


def resampled_weights(rows: int, samples: int, seed: int) -> Iterator[npt.NDArray[np.float32]]:
    """Yields how often each replicate drew each customer, as float32[rows, some replicates].

    Chunks keep to 64 MiB (or 16 replicates, for very long tables); their size does not change
    what is drawn.
    """
    generator = np.random.default_rng(seed)
    chunk = max(16, _WEIGHTS_BYTES // (4 * rows))
    for start in range(0, samples, chunk):
        size = min(chunk, samples - start)
        weights = np.empty((rows, size), dtype=np.float32)
        for replicate in range(size):
            drawn = generator.integers(0, rows, size=rows)
            weights[:, replicate] = np.bincount(drawn, minlength=rows)
        yield weights


def percentile_interval(replicates: Floats, *, level: float = LEVEL) -> Interval:
    """Returns the middle share of the replicates (Efron's percentile interval), without undefined ones.

    Raises:
        ValueError: no replicate is defined.
    """
    defined = replicates[np.isfinite(replicates)]
    if not len(defined):
        raise ValueError("no bootstrap replicate is defined")
    lower, upper = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(
        lower=float(lower), upper=float(upper), level=level, method="customer bootstrap, percentile"
    )


def mean_interval(values: Floats, *, samples: int, seed: int, level: float = LEVEL) -> Interval:
    """Returns the bootstrap interval of a mean over customers, one value each."""
    means = [
        values @ weights / len(values) for weights in resampled_weights(len(values), samples, seed)
    ]
    return percentile_interval(np.concatenate(means), level=level)


def fold_mean_auc_intervals(
    folds: Mapping[str, Sequence[RankedRows]], rows: int, *, samples: int, seed: int
) -> dict[str, Interval]:
    """Interval of each model's mean ROC-AUC over cross-validation folds.

    A customer is drawn with all its out-of-fold scores, one per repeat, so repeats do not count
    as independent customers. All models see the same draws. Takes about 5 ms per fold of 1,409
    rows and 2,000 replicates. `folds` has each fold's rows, ranked; row numbers index customers.
    """
    means: dict[str, list[Floats]] = {name: [] for name in folds}
    for weights in resampled_weights(rows, samples, seed):
        for name, ranked in folds.items():
            means[name].append(_mean_over_folds(ranked, weights))
    return {name: percentile_interval(np.concatenate(parts)) for name, parts in means.items()}


def _mean_over_folds(ranked: Sequence[RankedRows], weights: npt.NDArray[np.float32]) -> Floats:
    total = np.zeros(weights.shape[1])
    defined = np.zeros(weights.shape[1])
    for fold in ranked:
        auc = fold.auc(weights)
        known = np.isfinite(auc)
        total += np.where(known, auc, 0)
        defined += known
    return ratio(total, defined)


def metric_intervals(
    target: npt.ArrayLike, probability: npt.ArrayLike, *, samples: int, seed: int
) -> dict[str, Interval]:
    """Interval of every metric that `measure` returns, by bootstrap on the same rows.

    The calibration error's is not one: see `churn.evaluation.calibration_interval`.

    Raises:
        ValueError, InputError: as `measure`.
    """
    truth, chance = validate_predictions(target, probability)
    ranked, groups = RankedRows.from_scores(truth, chance), ScoreGroups.from_scores(truth, chance)
    losses = np.stack([row_log_loss(truth, chance), np.square(chance - truth)])
    drawn: dict[str, list[Floats]] = {}
    for weights in resampled_weights(len(truth), samples, seed):
        log_loss, brier = losses @ weights / len(truth)
        replicates = {
            "roc_auc": ranked.auc(weights),
            "pr_auc": groups.average_precision(weights),
            "log_loss": log_loss,
            "brier": brier,
            "lift_at_10": groups.lift(weights),
        }
        for name, values in replicates.items():
            drawn.setdefault(name, []).append(values)
    intervals = {name: percentile_interval(np.concatenate(parts)) for name, parts in drawn.items()}
    lower, upper = calibration_error_bounds(truth, chance, level=LEVEL, seed=seed)
    intervals["ece"] = Interval(lower=lower, upper=upper, method="test inverted, simulated")
    return intervals


def auc_difference_interval(
    target: Labels, score: Floats, reference: Floats, *, samples: int, seed: int
) -> Interval:
    """Interval of the ROC-AUC gained over a reference on the same rows, customers resampled in pairs."""
    ours, theirs = RankedRows.from_scores(target, score), RankedRows.from_scores(target, reference)
    parts = [
        ours.auc(weights) - theirs.auc(weights)
        for weights in resampled_weights(len(target), samples, seed)
    ]
    return percentile_interval(np.concatenate(parts))
