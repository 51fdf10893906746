"""The interval of the calibration error holds the true error about as often as it says."""

import numpy as np
import pytest
from scipy.special import expit, logit

from churn.evaluation.calibration import EceBins, expected_calibration_error
from churn.evaluation.calibration_interval import calibration_error_bounds

RUNS, ROWS = 120, 1374


def bounds(left, chance, level=0.95, seed=1):
    return calibration_error_bounds(left, chance, level=level, seed=seed)


def sample(generator, shift=0.0, slope=1.0, rows=ROWS):
    """Predictions, outcomes drawn from probabilities that differ from them, and the true error."""
    chance = expit(generator.normal(-1.6, 1.5, rows))
    real = expit(slope * logit(chance) + shift)
    true = EceBins.from_probability(chance).error(real - chance, np.ones((rows, 1)))[0]
    return (generator.random(rows) < real).astype(np.int8), chance, true


# 95% of 120 is 114; fewer than 106 would come by chance about once in 1,000 suites.
@pytest.mark.parametrize(
    ("shift", "slope"), [(0.0, 1.0), (0.4, 1.0), (0.8, 1.0), (0.0, 0.7), (0.0, 2.0)]
)
def test_it_holds_the_true_error_of_calibrated_and_of_wrong_models(shift, slope):
    generator = np.random.default_rng(5)
    held = 0
    for run in range(RUNS):
        left, chance, true = sample(generator, shift, slope)
        lower, upper = bounds(left, chance, seed=run)
        held += lower <= true <= upper
    assert held >= 106


def test_an_error_above_the_ceiling_hardly_ever_ends_below_it():
    generator = np.random.default_rng(6)
    below, point_below = 0, 0
    for run in range(80):
        left, chance, true = sample(generator, shift=0.39)
        assert 0.053 < true < 0.06
        below += bounds(left, chance, seed=run)[1] <= 0.05
        point_below += expected_calibration_error(left, chance) <= 0.05
    assert below <= 6  # 2 are expected
    assert point_below >= 10  # what judging the figure itself would let pass


def test_more_rows_make_it_narrower_and_a_higher_level_wider():
    few = bounds(*sample(np.random.default_rng(7), shift=0.8, rows=500)[:2])
    many = bounds(*sample(np.random.default_rng(7), shift=0.8, rows=8000)[:2])
    assert many[1] - many[0] < 0.5 * (few[1] - few[0])
    left, chance, _ = sample(np.random.default_rng(8), shift=0.8)
    narrow, wide = bounds(left, chance, level=0.8), bounds(left, chance, level=0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize(
    ("left", "chance"),
    [
        ([0, 1] * 50, [0.5] * 100),  # one bin
        ([0] * 99 + [1], [1e-12] * 100),
        ([1] * 99 + [0], [1.0] * 100),
        ([0, 1], [0.2, 0.8]),
    ],
)
def test_extreme_samples_give_finite_ordered_bounds(left, chance):
    lower, upper = bounds(np.array(left, dtype=np.int8), np.array(chance))
    assert 0 <= lower <= upper < 3


def test_the_same_sample_gives_the_same_bounds():
    left, chance, _ = sample(np.random.default_rng(9))
    assert bounds(left, chance) == bounds(left, chance)
