"""Known customers weighted to look like a window's: for estimates that follow covariate shift (PAPE).

Bialek et al. 2024, "Estimating Model Performance Under Covariate Shift Without Labels"
(arXiv 2401.08348): a calibration learnt on all known customers is right on average over them, not
over a window that holds more of some. Weighted by how much more often the window has such
customers, it is right over the window.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churn.evaluation.weighted import Floats
from churn.monitoring.score_calibrator import ScoreCalibrator

Codes = NDArray[np.uint8]

_SEED = 17
_FOLDS = 2
_HEAVIEST = 20.0  # a rarer customer's outcome would decide the estimate alone
_TREES = 60
_SETTINGS = {
    "objective": "binary", "num_leaves": 7, "learning_rate": 0.05, "min_data_in_leaf": 50,
    "seed": _SEED, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbose": -1,
}  # fmt: skip


def importance_weights(known: Codes, window: Codes) -> Floats:
    """How much more often than among the known customers a customer is met in the window, float64[n].

    A classifier learns which rows are the window's, from the other half of both: a row that it had
    learnt would look more like its own side than it is. Weights have mean 1 and are at most 20
    before that.

    Args:
        known: uint8[n, columns], binned rows, as `DriftReference.codes` gives them.
        window: uint8[m, columns].
    """
    import lightgbm

    generator = np.random.default_rng(_SEED)
    fold, of_window = (generator.permutation(len(rows)) % _FOLDS for rows in (known, window))
    odds = np.ones(len(known))
    for held_out in range(_FOLDS):
        was, now = known[fold != held_out], window[of_window != held_out]
        rows = np.concatenate([was, now]).astype(np.float32)
        is_now = np.r_[np.zeros(len(was)), np.ones(len(now))]
        trees = lightgbm.train(_SETTINGS, lightgbm.Dataset(rows, is_now), _TREES)
        judged = known[fold == held_out].astype(np.float32)
        chance = np.asarray(trees.predict(judged, num_threads=1), dtype=np.float64)
        odds[fold == held_out] = chance / (1 - chance) * len(was) / len(now)
    weights = np.minimum(odds, _HEAVIEST)
    return np.asarray(weights / weights.mean(), dtype=np.float64)


def window_calibrator(
    score: ArrayLike, target: ArrayLike, known: Codes, window: Codes
) -> ScoreCalibrator:
    """The calibrator of the known customers, weighted to look like the window's.

    Args:
        score: [n], of the known customers.
        target: [n], their outcomes.
        known: uint8[n, columns], their binned columns.
        window: uint8[m, columns].

    Raises:
        ValueError, InputError: as `ScoreCalibrator.of`.
    """
    return ScoreCalibrator.of(score, target, importance_weights(known, window))
