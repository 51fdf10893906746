import numpy as np
import pytest
from empulse.metrics import empc_score, mpc_score
from scipy.special import expit
from scipy.stats import beta

from churn.errors import InputError
from churn.retention.maximum_profit import expected_maximum_profit, maximum_profit
from churn.retention.profit import (
    break_even,
    campaign_profit,
    check_worth,
    contact_value,
)
from churn.retention.value_settings import AcceptanceSettings, ValueSettings

VALUE = ValueSettings(currency="USD")


def test_a_campaign_of_four_customers_worked_out_by_hand():
    # Given a leaver and a stayer above the threshold, and one of each below
    target = [1, 0, 1, 0]
    probability = [0.9, 0.5, 0.4, 0.1]

    # When everyone from 0.5 on is contacted
    earned = campaign_profit(target, probability, 0.5, [200.0] * 4, VALUE)

    # Then the leaver brings 0.3 x 190 - 1, the stayer costs the offer and the contact
    assert earned.tolist() == pytest.approx([56.0, -11.0, 0.0, 0.0])


def test_worth_counts_customer_by_customer_and_free_riders_can_be_fewer():
    value = ValueSettings(free_riders=0.2)

    earned = campaign_profit([1, 1, 0], [1.0, 1.0, 1.0], 0.5, [110.0, 1010.0, 50.0], value)

    assert earned.tolist() == pytest.approx([29.0, 299.0, -3.0])


def test_without_outcomes_a_campaign_is_worth_its_expectation():
    generator = np.random.default_rng(5)
    probability = np.repeat([0.1, 0.3, 0.7], 100_000)
    target = (generator.random(len(probability)) < probability).astype(int)
    clv = np.full(len(target), 200.0)

    expected = campaign_profit(probability, probability, 0.2, clv, VALUE)
    happened = campaign_profit(target, probability, 0.2, clv, VALUE)

    assert expected[0] == 0
    assert expected[-1] == pytest.approx(0.7 * 56 - 0.3 * 11)
    assert happened.mean() == pytest.approx(expected.mean(), abs=0.2)


def test_at_the_break_even_probability_a_contact_earns_nothing():
    even = break_even(200.0, VALUE)

    assert even == pytest.approx(11 / 67)
    assert campaign_profit([even], [even], 0.0, [200.0], VALUE)[0] == pytest.approx(0, abs=1e-12)
    assert break_even(12.0, VALUE) == 1.0  # 0.3 x 2 never pays for the contact
    assert break_even(1.0, ValueSettings(free_riders=0.0)) == 1.0


def real_scores(columns):
    """Scores that are somebody's: a plain formula on the real customers, with many ties."""
    risk = 2.2 - 0.05 * columns["tenure"] + 0.01 * columns["MonthlyCharges"]
    return expit(np.round(risk - 1.5 * columns["Contract"], 2))


@pytest.mark.parametrize(
    ("clv", "incentive", "contact", "alpha", "b"),
    [(200, 10, 1, 6, 14), (80, 15, 2, 2, 9), (1500, 100, 5, 1, 1), (60, 25, 4, 8, 2)],
)
def test_mpc_and_empc_are_empulses_on_the_real_customers(
    telco_columns, telco_target, clv, incentive, contact, alpha, b
):
    score = real_scores(telco_columns)
    worth = np.full(len(score), float(clv))
    value = ValueSettings(
        clv=float(clv),
        incentive=float(incentive),
        contact=float(contact),
        acceptance=AcceptanceSettings(alpha=float(alpha), beta=float(b)),
    )
    money = {"clv": clv, "incentive_cost": incentive, "contact_cost": contact}

    most = maximum_profit(telco_target, score, worth, value)
    on_average = expected_maximum_profit(telco_target, score, worth, value)

    rate = alpha / (alpha + b)
    theirs = mpc_score(telco_target, score, accept_rate=rate, **money)
    share = mpc_score.optimal_rate(telco_target, score, accept_rate=rate, **money)
    assert most.profit == pytest.approx(theirs, abs=1e-9)
    assert most.share == pytest.approx(share, abs=1e-9)
    assert on_average.profit == pytest.approx(
        empc_score(telco_target, score, alpha=alpha, beta=b, **money), abs=1e-9
    )
    assert on_average.share == pytest.approx(
        empc_score.optimal_rate(telco_target, score, alpha=alpha, beta=b, **money), abs=1e-9
    )


def test_empc_of_ten_customers_is_the_reference_of_the_literature():
    left = [1, 1, 0, 0, 0, 1, 1, 1, 1, 0]
    score = [
        0.6125478, 0.3642710, 0.4321361, 0.1402911, 0.3848959, 0.2444155, 0.9706413, 0.8901728,
        0.7817814, 0.8687518,
    ]  # fmt: skip

    found = expected_maximum_profit(left, score, [200.0] * 10, VALUE)

    assert found.profit == pytest.approx(30.30032226298485, rel=1e-14)


def test_empc_with_a_worth_for_each_customer_is_the_mean_of_the_best_campaigns():
    # Given worths that differ, which empulse's EMPC does not know, and a grid of acceptances
    generator = np.random.default_rng(8)
    score = generator.normal(size=120).round(1)
    target = (generator.random(120) < expit(score)).astype(int)
    clv = generator.uniform(5, 400, size=120)
    per_contact = contact_value(target, clv, VALUE)
    cuts = [score >= s for s in (np.inf, *np.unique(score))]
    grid = (np.arange(20_000) + 0.5) / 20_000

    # When the best campaign is looked up for every acceptance, and averaged
    gain = np.array([per_contact.gain[cut].sum() for cut in cuts]) / 120
    cost = np.array([per_contact.cost[cut].sum() for cut in cuts]) / 120
    best = np.max(np.multiply.outer(grid, gain) - cost, axis=1)
    brute = np.average(best, weights=beta.pdf(grid, 6, 14))

    # Then the closed form says the same
    found = expected_maximum_profit(target, score, clv, VALUE)
    assert found.profit == pytest.approx(brute, abs=1e-5)


def test_where_no_campaign_pays_nobody_is_contacted():
    costly = ValueSettings(contact=500.0)

    for found in (maximum_profit, expected_maximum_profit):
        best = found([0, 1, 1], [0.1, 0.5, 0.9], [200.0] * 3, costly)
        assert (best.profit, best.share) == (0, 0)


def test_a_worth_that_cannot_pay_is_refused_in_words():
    with pytest.raises(InputError, match=r"worth more than the offer of 10 USD \(value.incentive"):
        check_worth([10.0, 4.0], VALUE)
    with pytest.raises(InputError, match="1 of 2 customers' worth is not a number"):
        check_worth([float("nan"), 4.0], VALUE)


@pytest.mark.parametrize(
    ("leaving", "clv"), [([0, 1], [1.0]), ([2, 0], [1.0, 1.0]), ([0, 1], [1.0, float("inf")])]
)
def test_arrays_that_do_not_go_together_are_refused(leaving, clv):
    with pytest.raises(ValueError, match=r"match|number"):
        contact_value(leaving, clv, VALUE)
    with pytest.raises(ValueError, match="do not match"):
        campaign_profit([0, 1], [0.5], 0.1, [1.0, 1.0], VALUE)
