import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from churn.evaluation.calibration import (
    assess_calibration,
    calibration_line,
    expected_calibration_error,
)


@pytest.fixture(scope="module")
def calibrated():
    generator = np.random.default_rng(23)
    chance = generator.beta(1, 3, size=4000)
    return (generator.random(4000) < chance).astype(np.int8), chance


def test_the_error_of_known_bins_is_their_weighted_gap():
    # given two groups: 0.2 predicted and 0.5 observed, 0.8 predicted and 1.0 observed
    chance = np.repeat([0.2, 0.8], [4, 2])
    target = np.array([0, 0, 1, 1, 1, 1], dtype=np.int8)
    assert expected_calibration_error(target, chance, bins=2) == pytest.approx(
        (4 * 0.3 + 2 * 0.2) / 6
    )


def test_a_perfectly_calibrated_model_stays_within_its_noise(calibrated):
    target, chance = calibrated
    found = assess_calibration(target, chance, seed=1)
    assert found.ece < 0.03
    assert found.within_noise
    assert found.noise_mean < found.noise_upper
    assert found.slope == pytest.approx(1, abs=0.15)
    assert found.intercept == pytest.approx(0, abs=0.15)
    inside = sum(each.lower <= each.observed <= each.upper for each in found.bins)
    assert inside >= 8


def test_probabilities_shifted_as_balanced_class_weights_shift_them_are_caught(calibrated):
    target, chance = calibrated
    odds = 3 * chance / (1 - chance)
    found = assess_calibration(target, odds / (1 + odds), seed=1)
    assert found.ece > 0.1
    assert not found.within_noise
    assert found.intercept == pytest.approx(-np.log(3), abs=0.15)
    assert found.slope == pytest.approx(1, abs=0.15)


def test_the_simulated_noise_is_what_fresh_calibrated_samples_show(calibrated):
    _, chance = calibrated
    generator = np.random.default_rng(5)
    fresh = [
        expected_calibration_error((generator.random(4000) < chance).astype(np.int8), chance)
        for _ in range(200)
    ]
    found = assess_calibration((generator.random(4000) < chance).astype(np.int8), chance, seed=9)
    assert found.noise_mean == pytest.approx(np.mean(fresh), rel=0.1)
    assert found.noise_upper == pytest.approx(np.quantile(fresh, 0.95), rel=0.15)


def test_the_slope_agrees_with_an_unpenalised_logistic_regression(calibrated):
    target, chance = calibrated
    score = np.log(chance / (1 - chance))
    reference = LogisticRegression(penalty=None, tol=1e-10).fit(2.5 * score[:, None], target)
    overconfident = 1 / (1 + np.exp(-2.5 * score))
    _, slope = calibration_line(target, overconfident)
    assert slope == pytest.approx(reference.coef_[0, 0], rel=1e-4)
    assert slope == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize(
    ("chance", "ece"),
    [([0.0, 0.0, 1.0, 1.0], 0.0), ([0.5] * 4, 0.0), ([1.0, 1.0, 0.0, 0.0], 1.0)],
)
def test_extreme_predictions_leave_every_figure_finite(chance, ece):
    target = np.array([0, 0, 1, 1], dtype=np.int8)
    intercept, slope = calibration_line(target, np.array(chance))
    assert np.isfinite([intercept, slope]).all()
    assert assess_calibration(target, np.array(chance), seed=0).ece == ece
