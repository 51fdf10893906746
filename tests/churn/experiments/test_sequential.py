"""Bounds of repeated looks, against published tables and simulated experiments."""

import numpy as np
import pytest

from churn.errors import InputError
from churn.experiments.sequential import (
    crossing_probabilities,
    equal_information,
    inflation,
    lan_demets,
    obrien_fleming,
    pocock,
)

FIVE = [0.2, 0.4, 0.6, 0.8, 1.0]


def test_bounds_equal_the_published_tables():
    assert obrien_fleming(5).round(3).tolist() == [4.562, 3.226, 2.634, 2.281, 2.040]
    assert pocock(5).round(4).tolist() == [2.4132] * 5
    assert lan_demets(FIVE).round(4).tolist() == [4.8769, 3.357, 2.6803, 2.2898, 2.031]
    # Jennison & Turnbull 2000, tables 2.1 and 2.3, for other numbers of looks and levels.
    assert pocock(10, 0.05)[0] == pytest.approx(2.555, abs=6e-4)
    assert pocock(4, 0.01)[0] == pytest.approx(2.939, abs=6e-4)
    assert obrien_fleming(10, 0.05)[-1] == pytest.approx(2.087, abs=6e-4)
    assert obrien_fleming(3, 0.1)[-1] == pytest.approx(1.710, abs=6e-4)


def test_one_look_is_the_ordinary_test():
    for bounds in (obrien_fleming(1), pocock(1), lan_demets([1.0])):
        assert bounds[0] == pytest.approx(1.959964, abs=1e-6)


def test_twelve_peeks_at_196_find_what_is_not_there_in_a_fifth_of_experiments():
    found = crossing_probabilities([1.96] * 12, equal_information(12)).sum()

    assert round(float(found), 4) == 0.2075


@pytest.mark.parametrize(
    "information", [FIVE, [0.05, 0.5, 1.0], [0.9, 0.95, 0.951, 1.0], [0.001, 0.002, 1.0]]
)
@pytest.mark.parametrize("alpha", [0.05, 0.001, 0.3])
def test_all_looks_together_spend_exactly_alpha(information, alpha):
    bounds = lan_demets(information, alpha).tolist()

    assert crossing_probabilities(bounds, information).sum() == pytest.approx(alpha, rel=1e-4)


def test_a_plan_that_ends_early_has_not_spent_all():
    assert crossing_probabilities(lan_demets([0.3, 0.6]).tolist(), [0.3, 0.6]).sum() < 0.02


def test_probabilities_with_an_effect_equal_simulated_ones():
    rng = np.random.default_rng(3)
    steps = rng.normal(2.5 * 0.2, np.sqrt(0.2), (200_000, 5)).cumsum(axis=1)
    reached = np.abs(steps / np.sqrt(FIVE)) >= pocock(5)
    first = np.where(reached.any(axis=1), reached.argmax(axis=1), 9)

    found = crossing_probabilities(pocock(5).tolist(), FIVE, drift=2.5)

    shares = [np.mean(first == look) for look in range(5)]
    assert found == pytest.approx(shares, abs=0.004)


def test_looks_cost_few_customers_more():
    # Jennison & Turnbull 2000, tables 2.2 and 2.4: maximum sample size over that of one look.
    assert inflation(obrien_fleming(5).tolist(), FIVE, 0.05, 0.8) == pytest.approx(1.028, abs=6e-4)
    assert inflation(pocock(5).tolist(), FIVE, 0.05, 0.8) == pytest.approx(1.228, abs=6e-4)


@pytest.mark.parametrize(
    "information", [[], [0.0, 1.0], [0.5, 0.5], [0.7, 0.2], [0.5, 1.1], [float("nan")]]
)
def test_looks_out_of_order_are_refused(information):
    with pytest.raises(InputError, match="shares that rise"):
        lan_demets(information)


def test_other_senseless_plans_are_refused():
    with pytest.raises(InputError, match="0 looks"):
        pocock(0)
    with pytest.raises(InputError, match="101 looks"):
        equal_information(101)
    with pytest.raises(InputError, match="alpha is 1"):
        obrien_fleming(2, 1.0)
    with pytest.raises(InputError, match="1 bounds do not match 5 looks"):
        crossing_probabilities([2.0], FIVE)
