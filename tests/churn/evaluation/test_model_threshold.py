"""The threshold on the model's own scale contacts the same customers as the corrected one."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit

from churn.evaluation.recalibration import LogitMap
from churn.evaluation.threshold_report import model_threshold


def report(threshold: float, correction: LogitMap):
    return SimpleNamespace(threshold=threshold, recalibration=SimpleNamespace(map=correction))


def test_without_a_correction_nothing_changes():
    assert model_threshold(report(0.173, LogitMap())) == 0.173


@pytest.mark.parametrize("seed", range(20))
def test_with_one_the_same_customers_are_contacted_the_one_on_the_threshold_included(seed):
    # given scores, a rising line on the log-odds, and one customer who stands on the threshold
    generator = np.random.default_rng(seed)
    scores = generator.normal(-1, 1.5, size=500)
    correction = LogitMap(slope=generator.uniform(0.3, 3), intercept=generator.normal())
    corrected = expit(correction.apply(scores))
    threshold = float(corrected[17])

    mapped = model_threshold(report(threshold, correction))

    assert np.array_equal(expit(scores) >= mapped, corrected >= threshold)
