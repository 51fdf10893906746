from math import inf, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm

from churn.evaluation.holm import holm_errors
from churn.evaluation.paired_shares import tango_interval, tango_score


@pytest.mark.parametrize(
    ("gained", "lost", "pairs", "error", "lower", "upper"),
    [
        # Fagerland, Lydersen & Laake 2014 (Statistics in Medicine 33:2850-2875), airway reactivity
        (1, 7, 21, 0.025, -0.517, -0.026),
        # Agresti & Min 2005, by R's ratesci
        (16, 8, 86, 0.025, -0.020, 0.207),
        # R's PropCIs, scoreci.mp(25, 28, 618, 0.90)
        (28, 25, 618, 0.05, -0.0148, 0.0247),
    ],
)
def test_tangos_interval_is_the_published_one(gained, lost, pairs, error, lower, upper):
    interval = tango_interval(gained, lost, pairs, error=error)
    places = 4 if pairs == 618 else 3
    assert (round(interval.lower, places), round(interval.upper, places)) == (lower, upper)
    assert interval.level == pytest.approx(1 - 2 * error)


def test_against_no_difference_the_score_is_mcnemars():
    assert tango_score(10, 25, 200) == pytest.approx((10 - 25) / sqrt(35))
    assert tango_score(0, 0, 200) == 0


def test_without_a_discordant_pair_the_bounds_are_known():
    # Tango 1998: z squared over n plus z squared, on either side
    z2 = norm.isf(0.025) ** 2
    interval = tango_interval(0, 0, 40, error=0.025)
    assert interval.upper == pytest.approx(z2 / (40 + z2), abs=1e-6)
    assert interval.lower == pytest.approx(-interval.upper, abs=1e-6)


@pytest.mark.parametrize(("gained", "lost"), [(30, 0), (0, 30)])
def test_where_every_pair_is_discordant_the_bounds_stay_within_one(gained, lost):
    interval = tango_interval(gained, lost, 30, error=0.025)
    assert -1 <= interval.lower < interval.upper <= 1
    assert {interval.lower, interval.upper} & {-1.0, 1.0}
    assert tango_score(gained, lost, 30, -1.0 if gained else 1.0) in (inf, -inf)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 60), st.floats(0.0005, 0.2))
def test_the_bounds_hold_the_figure_and_agree_with_the_test(gained, lost, alike, error):
    pairs = gained + lost + alike
    if pairs == 0:
        return
    interval = tango_interval(gained, lost, pairs, error=error)
    assert interval.lower <= (gained - lost) / pairs <= interval.upper
    p_value = norm.cdf(tango_score(gained, lost, pairs))
    if abs(p_value - error) > 1e-6:
        assert (interval.upper < 0) == (p_value < error)


def test_a_true_loss_lies_below_the_bound_as_often_as_it_promises():
    # given 60 leavers, 16% of them lost and nobody is gained: every outcome and its probability
    covered = sum(
        binom.pmf(lost, 60, 0.16)
        for lost in range(61)
        if tango_interval(0, lost, 60, error=0.05).upper >= -0.16
    )
    assert 0.93 < covered < 0.98


def test_holm_is_the_published_procedure():
    # given the example of Holm's procedure: 0.01 and 0.02 are significant, 0.04 and 0.03 are not
    p_values = [0.01, 0.04, 0.03, 0.005]
    errors = holm_errors(p_values, 0.05)
    assert errors == [0.05 / 3, 0.025, 0.025, 0.0125]
    assert [p < error for p, error in zip(p_values, errors, strict=True)] == [
        True,
        False,
        False,
        True,
    ]


def test_what_follows_a_test_that_is_not_significant_is_not_either():
    # given 0.024, which Holm's last step (0.05) would let through by itself
    assert holm_errors([0.03, 0.024], 0.05) == [0.05, 0.025]
    assert holm_errors([0.03, 0.026], 0.05) == [0.025, 0.025]
    assert holm_errors([0.03, 0.025], 0.05) == [
        0.025,
        0.025,
    ]  # exactly at its level is not below it


def test_a_single_test_and_none_need_no_correction():
    assert holm_errors([0.2], 0.05) == [0.05]
    assert holm_errors([], 0.05) == []
