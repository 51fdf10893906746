"""The ROC-AUC to expect of scores, where only the probability of each outcome is known."""

from __future__ import annotations

import numpy as np

from churn.evaluation.weighted import Floats


def expected_auc(score: Floats, probability: Floats) -> tuple[float, float] | None:
    """The area, and its variance over the outcomes.

    Every customer counts as leaving with the probability and as staying with the rest. The
    variance is that of independent outcomes, by the area's slope in each of them.

    Args:
        score: float64[n], what ranks the customers.
        probability: float64[n], of leaving.

    Returns:
        None where one of the outcomes has no probability at all.
    """
    _, group = np.unique(score, return_inverse=True)
    left, stayed = np.bincount(group, probability), np.bincount(group, 1 - probability)
    all_left, all_stayed = float(left.sum()), float(stayed.sum())
    pairs = all_left * all_stayed
    if pairs <= 0:
        return None
    stayed_below = (stayed.cumsum() - stayed / 2)[group]  # ties count half
    left_above = (all_left - left.cumsum() + left / 2)[group]
    area = float(probability @ stayed_below) / pairs
    slope = (stayed_below - left_above - area * (all_stayed - all_left)) / pairs
    return area, float((probability * (1 - probability)) @ np.square(slope))
