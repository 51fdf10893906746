import numpy as np
import pytest

from churn.retention.cohorts import value_thirds


def counts(margin):
    return dict(zip(*np.unique(value_thirds(np.array(margin)), return_counts=True), strict=True))


@pytest.mark.parametrize("customers", [6, 7, 8, 7043])
def test_a_third_of_different_values_is_a_third_of_the_customers(customers):
    found = counts(np.random.default_rng(3).permutation(customers))

    assert sum(found.values()) == customers
    assert all(abs(count - customers / 3) < 1 for count in found.values())


def test_equal_values_are_in_one_third_and_most_of_the_customers_in_no_upper_one():
    assert counts([10.0] * 70 + [20.0] * 30) == {"middle": 70, "upper": 30}
    assert counts([10.0] * 5) == {"alike": 5}
