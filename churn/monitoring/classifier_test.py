"""Whether a classifier can tell a window's rows from the reference's: sees what no single column shows.

A gradient-boosted classifier learns from one half of both which rows are of the window, and ranks
the other half. Without drift the ranks of the window's rows are a random draw, whatever the
classifier has learnt, so that the rank-sum test is exact but for the normal tail (Friedman 2003;
Lopez-Paz & Oquab 2017, "Revisiting classifier two-sample tests").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

Codes = NDArray[np.uint8]

MOST_ROWS = 10_000
"""Of the window; of a larger one so many are drawn."""

_SEED = 17
_TREES = 60
_SETTINGS = {
    "objective": "binary", "num_leaves": 15, "learning_rate": 0.1, "min_data_in_leaf": 5,
    "seed": _SEED, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbose": -1,
}  # fmt: skip


@dataclass(frozen=True)
class ClassifierTest:
    """What the classifier made of the rows it had not learnt from.

    Attributes:
        p_value: of the rank-sum test; one-sided, as a classifier below chance has learnt nothing.
        roc_auc: chance that a row of the window ranks above one of the reference; 0.5 without drift.
    """

    p_value: float
    roc_auc: float


def classifier_test(reference: Codes, window: Codes) -> ClassifierTest:
    """Tests two samples of binned rows, uint8[rows, columns]; equal input gives equal output."""
    import lightgbm

    generator = np.random.default_rng(_SEED)
    now, was = (generator.permutation(rows)[:MOST_ROWS] for rows in (window, reference))
    half, reference_half = len(now) // 2, len(was) // 2
    learnt = np.concatenate([now[:half], was[:reference_half]]).astype(np.float32)
    of_window = np.arange(len(learnt)) < half
    data = lightgbm.Dataset(learnt, of_window.astype(np.float32))
    # Without the detour through a text, which costs as much as six trees.
    trees = lightgbm.train(_SETTINGS, data, _TREES, keep_training_booster=True)
    judged = np.concatenate([now[half:], was[reference_half:]]).astype(np.float32)
    score = np.asarray(trees.predict(judged, num_threads=1), dtype=np.float64)
    ours, others = score[: len(now) - half], score[len(now) - half :]
    found = mannwhitneyu(ours, others, alternative="greater", method="asymptotic")
    return ClassifierTest(
        p_value=float(found.pvalue), roc_auc=float(found.statistic / (ours.size * others.size))
    )
