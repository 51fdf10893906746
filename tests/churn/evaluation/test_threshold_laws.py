"""Laws that money and thresholds keep on any rows, ties included."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from churn.evaluation.threshold_cutoffs import Cutoffs, pick_cutoffs
from churn.retention.maximum_profit import expected_maximum_profit, maximum_profit
from churn.retention.profit import break_even, campaign_profit, contact_value
from churn.retention.value_settings import AcceptanceSettings, ThresholdSettings, ValueSettings

SETTINGS = ThresholdSettings()


@st.composite
def customers(draw):
    """Outcomes, probabilities on a grid so that ties are common, and what each customer is worth."""
    rows = draw(st.integers(4, 80))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    target = (generator.random(rows) < draw(st.floats(0.1, 0.9))).astype(np.int8)
    target[:2] = (0, 1)
    step = draw(st.sampled_from([0.01, 0.1, 0.5]))
    probability = np.round(generator.random(rows) / step) * step * 0.99
    return target, probability, generator.uniform(20, 500, size=rows)


@st.composite
def amounts(draw):
    """Assumptions about money."""
    return ValueSettings(
        incentive=draw(st.floats(0, 20)),
        contact=draw(st.floats(0, 5)),
        acceptance=AcceptanceSettings(alpha=draw(st.floats(0.5, 9)), beta=draw(st.floats(0.5, 9))),
        free_riders=draw(st.floats(0, 1)),
    )


@given(customers(), amounts(), st.floats(0, 1), st.floats(0, 300))
def test_customers_worth_more_never_make_a_campaign_worth_less(rows, value, threshold, more):
    target, probability, clv = rows
    before = campaign_profit(target, probability, threshold, clv, value)
    after = campaign_profit(target, probability, threshold, clv + more, value)
    assert (after >= before).all()
    assert (
        expected_maximum_profit(target, probability, clv + more, value).profit
        >= expected_maximum_profit(target, probability, clv, value).profit - 1e-9
    )


@given(customers(), amounts(), st.floats(0.1, 10))
def test_another_currency_changes_amounts_and_no_decision(rows, value, rate):
    target, probability, clv = rows
    other = value.model_copy(
        update={"incentive": value.incentive * rate, "contact": value.contact * rate}
    )
    here = maximum_profit(target, probability, clv, value)
    there = maximum_profit(target, probability, clv * rate, other)
    assert there.profit == pytest.approx(here.profit * rate, abs=1e-6)
    assert break_even(200 * rate, other) == pytest.approx(break_even(200, value), abs=1e-9)


@given(customers(), amounts(), st.sampled_from(["profit", "capacity", "f_beta"]))
def test_the_same_customers_are_contacted_through_any_rising_function(rows, value, rule):
    target, probability, clv = rows
    per_contact = contact_value(target, clv, value).profit_at(value.acceptance.mean)
    bent = probability**3 / 2
    plain = Cutoffs.from_scores(target, probability, per_contact).threshold_for(rule, SETTINGS, 0.3)
    other = Cutoffs.from_scores(target, bent, per_contact).threshold_for(rule, SETTINGS, 0.3)
    assert ((probability >= plain) == (bent >= other)).all()


@given(customers(), amounts(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows, value, random):
    target, probability, clv = rows
    order = list(range(len(target)))
    random.shuffle(order)
    before = expected_maximum_profit(target, probability, clv, value)
    after = expected_maximum_profit(target[order], probability[order], clv[order], value)
    assert after.profit == pytest.approx(before.profit, abs=1e-9)


@given(customers(), amounts())
def test_knowing_the_acceptance_beforehand_never_costs(rows, value):
    target, probability, clv = rows
    most = maximum_profit(target, probability, clv, value)
    informed = expected_maximum_profit(target, probability, clv, value)
    assert informed.profit >= most.profit - 1e-9
    assert most.profit >= 0
    assert 0 <= informed.share <= 1 + 1e-12


@given(customers(), amounts())
def test_the_most_profit_is_at_least_any_thresholds(rows, value):
    target, probability, clv = rows
    most = maximum_profit(target, probability, clv, value).profit
    for threshold in np.unique(probability):
        earned = campaign_profit(target, probability, threshold, clv, value).mean()
        assert earned <= most + 1e-9


@given(customers(), amounts())
def test_a_customer_drawn_twice_counts_twice(rows, value):
    target, probability, clv = rows
    per_contact = contact_value(target, clv, value).profit_at(value.acceptance.mean)
    times = np.random.default_rng(0).integers(0, 3, size=len(target))
    weighted = Cutoffs.from_scores(target, probability, per_contact).totals(
        times[:, None].astype(np.float32)
    )
    twice = np.repeat(np.arange(len(target)), times)
    if not len(twice):
        return
    again = Cutoffs.from_scores(target[twice], probability[twice], per_contact[twice]).totals()
    assert weighted.profit.max() == pytest.approx(again.profit.max(), abs=1e-3)
    assert weighted.contacted[-1, 0] == again.contacted[-1, 0] == len(twice)
    assert weighted.leavers[-1, 0] == again.leavers[-1, 0] == target[twice].sum()


@given(customers(), st.floats(0.01, 1))
def test_a_capacity_is_kept_and_one_more_group_would_exceed_it(rows, share):
    target, probability, clv = rows
    cuts = Cutoffs.from_scores(target, probability, clv)
    reached = cuts.totals()
    cut = pick_cutoffs("capacity", reached, SETTINGS, share)[0]
    capacity = share * len(target) + 1e-9
    assert reached.contacted[cut, 0] <= capacity
    assert cut + 1 == len(reached.contacted) or reached.contacted[cut + 1, 0] > capacity
