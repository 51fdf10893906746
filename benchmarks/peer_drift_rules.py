"""What others call drift, on the same windows: one column over a limit, or half of them.

Evidently's defaults above 1,000 reference rows, by its own formulas: the Wasserstein distance over the
reference's standard deviation for a number, the Jensen-Shannon distance for a category, 0.1 for
either; the preset's verdict is half of the columns.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import ks_2samp, wasserstein_distance

from benchmarks.drift_population import Rows
from churn.distances import chi_square, jensen_shannon, psi
from churn.monitoring.drift_reference import DriftReference

_LIMIT, _LEVEL, _SHARE = 0.1, 0.05, 0.5  # of a distance, of a p-value, of the columns
RULES = ("any PSI > 0.1", "any p < .05", "Evidently, any column", "Evidently, half of them")


def peer_verdicts(reference: DriftReference, known: Rows, window: Rows) -> dict[str, bool]:
    """Whether each rule fires on a window."""
    indices, p_values, drifted = [], [], []
    for name, number in reference.numbers.items():
        was, now = known.columns[name], window.columns[name]
        # The trade's ten bins: pairs of the reference's twenty.
        pairs = [np.bincount(number.codes(each) // 2, minlength=11) for each in (was, now)]
        used = pairs[0] > 0
        indices.append(psi(pairs[0][used], pairs[1][used]).value)
        p_values.append(ks_2samp(was, now).pvalue)
        drifted.append(wasserstein_distance(was, now) / was.std() >= _LIMIT)
    for name, counts in reference.categories.items():
        now_counts = np.bincount(window.columns[name], minlength=len(counts))
        indices.append(psi(counts, now_counts).value)
        p_values.append(float(chi_square(counts, now_counts).p_value))
        drifted.append(jensen_shannon(counts, now_counts).value >= _LIMIT)
    found = (
        max(indices) > _LIMIT,
        min(p_values) < _LEVEL,
        any(drifted),
        np.mean(drifted) >= _SHARE,
    )
    return dict(zip(RULES, map(bool, found), strict=True))
