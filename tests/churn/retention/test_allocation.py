from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churn.retention.allocation import allocate
from churn.retention.limits import Limit


def brute_force(profit, limits):
    """The best profit of all allocations that keep the limits."""
    best = 0.0
    offers, count = profit.shape
    for chosen in product(range(-1, offers), repeat=count):
        each = np.array(chosen)
        called = np.flatnonzero(each >= 0)
        earned = profit[each[called], called]
        if (earned <= 0).any() or any(limit.used(each) > limit.bound + 1e-9 for limit in limits):
            continue
        best = max(best, float(earned.sum()))
    return best


def problem(seed, count, offers=2):
    """A programme with capacities, a contact cap, a budget and fairness floors."""
    rng = np.random.default_rng(seed)
    cost = rng.uniform(1, 6, (offers, count))
    profit = rng.gamma(2, 8, (offers, count)) - rng.uniform(0, 12, (offers, count))
    profit[rng.random((offers, count)) < 0.2] = -np.inf
    group = rng.integers(0, 2, count)
    limits = [
        Limit(
            f"capacity {each}",
            "used up",
            np.eye(offers)[each][:, None],
            float(rng.integers(1, max(2, count // 2))),
        )
        for each in range(offers)
    ]
    limits.append(
        Limit("contacts", "used up", np.ones((offers, 1)), float(max(1, int(0.6 * count))))
    )
    limits.append(Limit("budget", "used up", cost, float(2.0 * count)))
    for each in range(2):
        mine = group == each
        limits.append(Limit(f"group {each}", "used up", (0.8 * mine.mean() - mine)[None, :], 0.0))
    return profit, limits


@pytest.mark.parametrize("seed", range(12))
def test_highs_finds_what_trying_every_allocation_finds(seed):
    profit, limits = problem(seed, 6)

    found = allocate(profit, limits)

    assert found.method == "HiGHS"
    assert found.profit == pytest.approx(brute_force(profit, limits))
    assert found.gap == pytest.approx(0, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 60), exact=st.sampled_from([0, 5_000]))
def test_whatever_the_programme_every_limit_is_kept_and_the_bound_holds(seed, count, exact):
    profit, limits = problem(seed, count, offers=3)

    found = allocate(profit, limits, exact_customers=exact)

    called = np.flatnonzero(found.chosen >= 0)
    assert (profit[found.chosen[called], called] > 0).all()
    for limit in limits:
        assert limit.used(found.chosen) <= limit.bound + 1e-6
    assert found.profit == pytest.approx(profit[found.chosen[called], called].sum())
    assert found.bound >= found.profit - 1e-9
    assert (found.prices >= 0).all()


@pytest.mark.parametrize("seed", range(2))
def test_the_dual_comes_close_to_highs_and_its_bound_is_never_below(seed):
    profit, limits = problem(seed, 1_500, offers=4)

    dual = allocate(profit, limits, exact_customers=0)
    exact = allocate(profit, limits)

    assert dual.method == "Lagrangian dual"
    assert exact.profit <= dual.bound + 1e-6
    assert dual.profit <= exact.bound + 1e-6
    assert exact.profit - dual.profit <= dual.gap * dual.bound + 1e-6
    assert dual.gap < 0.002


def test_beyond_the_bound_of_customers_the_gap_is_a_thousandth_at_most():
    profit, limits = problem(3, 8_000, offers=4)

    found = allocate(profit, limits)

    assert found.method == "Lagrangian dual"
    assert found.gap <= 0.001


def test_where_nothing_pays_nobody_is_contacted():
    found = allocate(np.full((2, 3), -1.0), [])

    assert found.chosen.tolist() == [-1, -1, -1]
    assert (found.profit, found.gap) == (0.0, 0.0)


def test_without_limits_everybody_gets_the_own_best():
    found = allocate(np.array([[1.0, 5.0, -2.0], [3.0, 4.0, -np.inf]]), [])

    assert found.chosen.tolist() == [1, 0, -1]


def test_a_limit_that_binds_has_a_price():
    # Given two customers who would earn 5 and 3, and one contact
    limit = Limit("one contact", "used up", np.ones((1, 1)), 1.0)

    found = allocate(np.array([[5.0, 3.0]]), [limit])

    # Then a contact is worth what the second would earn, or up to what the first does
    assert found.chosen.tolist() == [0, -1]
    assert 3 - 1e-6 <= found.prices[0] <= 5 + 1e-6
