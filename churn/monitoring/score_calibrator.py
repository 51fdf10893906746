"""From a score to the probability of leaving, learnt from customers whose outcome is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from churn.evaluation.metrics import validate_predictions
from churn.evaluation.weighted import Floats, Labels

_SEED = 17


@dataclass(frozen=True, eq=False)
class ScoreCalibrator:
    """A rising step function from score to probability (Zadrozny & Elkan 2002, isotonic).

    Attributes:
        score: float64[n], of customers that the model was not trained on.
        target: int8[n], their outcomes.
        weight: float64[n], what each counts.
    """

    score: Floats
    target: Labels
    weight: Floats

    @classmethod
    def of(
        cls, score: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None
    ) -> ScoreCalibrator:
        """Of known customers; without weights all count alike.

        Raises:
            ValueError: the arrays do not match.
            InputError: only one outcome occurs, or a score is no probability.
        """
        truth, chance = validate_predictions(target, score)
        counts = np.ones(len(truth)) if weight is None else np.asarray(weight, dtype=np.float64)
        if counts.shape != truth.shape or not (np.isfinite(counts) & (counts >= 0)).all():
            raise ValueError(
                f"weights {counts.shape} do not match, or one is no number of 0 or more"
            )
        return cls(chance, truth, counts)

    @property
    def effective_rows(self) -> float:
        """How many customers of equal weight would tell as much (Kish)."""
        return float(self.weight.sum() ** 2 / np.square(self.weight).sum())

    def probability(self, score: Floats) -> Floats:
        """The probabilities of other scores, float64[m]."""
        return self._probability(score, self.weight)

    def resampled(self, score: Floats, times: int) -> Iterator[Floats]:
        """Yields what other known customers would have given: these, drawn with replacement."""
        generator = np.random.default_rng(_SEED)
        rows = len(self.score)
        for _ in range(times):
            drawn = np.bincount(generator.integers(0, rows, rows), minlength=rows)
            yield self._probability(score, self.weight * drawn)

    def _probability(self, score: Floats, weight: Floats) -> Floats:
        from sklearn.isotonic import IsotonicRegression

        steps = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
        counts = weight > 0
        steps.fit(self.score[counts], self.target[counts], sample_weight=weight[counts])
        return np.asarray(steps.predict(score), dtype=np.float64)
