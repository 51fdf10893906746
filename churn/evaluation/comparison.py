"""Whether one model beats another, judged on the same cross-validation splits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field
from scipy.stats import t as student_t

from churn.evaluation.intervals import LEVEL, Interval
from churn.frozen_model import FrozenModel

_FEWEST_SPLITS = 2


class PairedDifference(FrozenModel):
    """How much better one model scores than another, split by split.

    Attributes:
        reference: the model whose figure is subtracted.
        difference: mean over the splits of model less reference.
        interval: where the difference plausibly lies; `interval.method` says how it was computed.
        splits: how many pairs it rests on.
    """

    model: str
    reference: str
    metric: str = "roc_auc"
    difference: float
    interval: Interval
    splits: int = Field(ge=1)

    @property
    def covers_zero(self) -> bool:
        """Whether no difference at all remains plausible."""
        return self.interval.covers(0.0)

    @property
    def sentence(self) -> str:
        """The comparison in words."""
        figures = f"{self.difference:+.4f} ROC-AUC, 95% interval {self.interval.span('+.4f')}"
        if self.covers_zero:
            return f"{self.model} and {self.reference} cannot be distinguished ({figures})."
        relation = "beats" if self.difference > 0 else "trails"
        return f"{self.model} {relation} {self.reference} ({figures})."


def corrected_interval(
    differences: Sequence[float], *, test_share: float, level: float = LEVEL
) -> Interval:
    """Interval of a mean difference over resampled splits, corrected for their overlap.

    Training sets overlap, so the differences depend on each other and the plain t interval is far
    too narrow. Nadeau & Bengio 2003 (Machine Learning 52:239-281) replace the variance factor 1/J
    by 1/J + n_test/n_train; with J = folds x repeats and J - 1 degrees of freedom it serves
    repeated cross-validation (Bouckaert & Frank 2004, PAKDD).

    Args:
        differences: one per split, J of them.
        test_share: n_test / n_train of a split; 1 / (folds - 1) in cross-validation.
        level: how often such an interval holds the true mean.

    Raises:
        ValueError: fewer than two differences.
    """
    error = corrected_standard_error(differences, test_share=test_share)
    half = float(student_t.ppf((1 + level) / 2, len(differences) - 1)) * error
    mean = float(np.mean(differences))
    return Interval(
        lower=mean - half, upper=mean + half, level=level, method="Nadeau-Bengio corrected t"
    )


def corrected_standard_error(differences: Sequence[float], *, test_share: float) -> float:
    """Standard error of a mean difference over resampled splits, corrected as in `corrected_interval`.

    Raises:
        ValueError: fewer than two differences.
    """
    count = len(differences)
    if count < _FEWEST_SPLITS:
        raise ValueError("a paired interval needs at least two splits")
    return float(np.sqrt((1 / count + test_share) * np.var(differences, ddof=1)))


def compare_folds(
    model: str,
    ours: Sequence[float],
    reference: str,
    theirs: Sequence[float],
    *,
    folds: int,
) -> PairedDifference:
    """Compares two models' figures on the same splits, in the same order, pair by pair.

    The folds of each repeat fix the share of rows held out.

    Raises:
        ValueError: the figures are not from as many splits.
    """
    gained = [a - b for a, b in zip(ours, theirs, strict=True)]
    return PairedDifference(
        model=model,
        reference=reference,
        difference=float(np.mean(gained)),
        interval=corrected_interval(gained, test_share=1 / (folds - 1)),
        splits=len(gained),
    )
