"""The threshold that a bundle states contacts the customers that were chosen."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit

from churn.evaluation.threshold_report import served_threshold
from churn.models.recalibrated import LogitMap


def report(threshold: float, correction: LogitMap):
    return SimpleNamespace(threshold=threshold, recalibration=SimpleNamespace(map=correction))


@pytest.mark.parametrize("correction", [LogitMap(), LogitMap(slope=0.8, intercept=-1)])
def test_a_model_that_serves_the_recalibration_has_the_threshold_as_it_was_chosen(correction):
    assert served_threshold(report(0.173, correction), correction) == 0.173


@pytest.mark.parametrize("seed", range(20))
def test_a_model_stored_without_it_contacts_the_same_customers_the_one_on_the_threshold_too(seed):
    # given scores, a rising line on the log-odds, and one customer who stands on the threshold
    generator = np.random.default_rng(seed)
    scores = generator.normal(-1, 1.5, size=500)
    correction = LogitMap(slope=generator.uniform(0.3, 3), intercept=generator.normal())
    corrected = expit(correction.apply(scores))
    threshold = float(corrected[17])

    stated = served_threshold(report(threshold, correction), LogitMap())

    assert np.array_equal(expit(scores) >= stated, corrected >= threshold)
