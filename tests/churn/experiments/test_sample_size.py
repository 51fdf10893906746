"""Sample size, power and the least detectable difference."""

import pytest
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from churn.errors import InputError
from churn.experiments.sample_size import achieved_power, detectable_rate, sample_size


def test_the_reference_of_a_tenth_less_churn():
    assert sample_size(0.265, 0.2385) == 4209
    assert sample_size(0.265, 0.2385, method="pooled_normal") == 4210


@pytest.mark.parametrize("holdout_rate", [0.02, 0.265, 0.5, 0.9])
@pytest.mark.parametrize("reduction", [0.05, 0.3, -0.1])
@pytest.mark.parametrize("ratio", [1.0, 4.0, 0.5])
def test_equals_statsmodels_to_the_integer(holdout_rate, reduction, ratio):
    treated_rate = holdout_rate * (1 - reduction)
    effect = proportion_effectsize(holdout_rate, treated_rate)

    needed = NormalIndPower().solve_power(effect, alpha=0.01, power=0.9, ratio=ratio)

    found = sample_size(holdout_rate, treated_rate, alpha=0.01, power=0.9, ratio=ratio)
    assert found - 1 < needed <= found


def test_power_reaches_the_plan_with_the_planned_customers_and_not_with_one_less():
    needed = sample_size(0.3, 0.24, ratio=4.0)

    assert achieved_power(0.3, 0.24, needed, ratio=4.0) >= 0.8
    assert achieved_power(0.3, 0.24, needed - 1, ratio=4.0) < 0.8


def test_what_is_detectable_is_what_the_sample_was_sized_for():
    needed = sample_size(0.4, 0.33, ratio=3.0)

    found = detectable_rate(0.4, needed, ratio=3.0)

    assert found == pytest.approx(0.33, abs=1e-4)


def test_too_few_customers_detect_nothing():
    assert detectable_rate(0.05, 20) is None


@pytest.mark.parametrize(
    ("rates", "options", "words"),
    [
        ((0.2, 0.2), {}, "no number of customers"),
        ((0.0, 0.2), {}, "holdout is 0, which is not between"),
        ((0.2, 1.0), {}, "treated is 1, which"),
        ((0.2, float("nan")), {}, "treated is nan"),
        ((0.2, 0.1), {"alpha": 0.0}, "alpha is 0"),
        ((0.2, 0.1), {"power": 0.05}, "power is 0.05"),
        ((0.2, 0.1), {"power": 1.0}, "power is 1"),
        ((0.2, 0.1), {"ratio": 0.0}, "ratio is 0"),
        ((0.2, 0.1), {"ratio": float("inf")}, "ratio is inf"),
    ],
)
def test_what_cannot_be_planned_is_refused(rates, options, words):
    with pytest.raises(InputError, match=words):
        sample_size(*rates, **options)


def test_an_empty_holdout_is_refused():
    with pytest.raises(InputError, match="holdout has 0 customers"):
        achieved_power(0.2, 0.1, 0)
    with pytest.raises(InputError, match="holdout has 0 customers"):
        detectable_rate(0.2, 0)
