"""The return of a campaign: its simulation against brute force, and what the report says."""

from datetime import date

import numpy as np
import pytest

from churn.errors import InputError
from churn.retention.assumption import Beta, Fixed, Normal, NormalShare
from churn.retention.playbook import Guardrail, Offer, OfferCost
from churn.retention.roi import (
    MARGIN,
    OfferContacts,
    assumption_range,
    drawn_assumptions,
    expected_profit,
    simulate_campaign,
)
from churn.retention.roi_report import RunReference
from churn.retention.roi_summary import COSTS, roi_report

RUN = RunReference(
    day=date(2026, 11, 30), model="telco-churn", version="3", playbook="telco",
    playbook_digest="0" * 64, draws=20_000, seed=7,
)  # fmt: skip


def share(value):
    return Fixed(distribution="fixed", value=value, source="assumed", basis="a test")


def beta(alpha, other):
    return Beta(distribution="beta", alpha=alpha, beta=other, source="assumed", basis="a test")


def offer(acceptance, effect, riders, *, contact=4.0):
    return Offer(
        title="a call", channel="phone", owner="team", capacity=100,
        cost=OfferCost(contact=contact, source="assumed", basis="a test"),
        acceptance=acceptance, effect=effect, free_riders=riders,
        guardrails=(Guardrail(measure="complaints", at_most=3.0),),
    )  # fmt: skip


def contacts(made, count=200, *, name="call", seed=3, margin=600.0):
    rng = np.random.default_rng(seed)
    worth = rng.uniform(0.5, 1.5, count) * margin
    draws = (worth[:, None] * rng.normal(1, 0.1, 50)).astype(np.float32)
    return {
        name: OfferContacts(
            name, made, rng.uniform(0.1, 0.8, count), worth, draws, rng.uniform(10, 60, count)
        )
    }


def one_by_one(each, acceptance, effect, riders, rng):
    """What one campaign earns, customer by customer."""
    leaves = rng.random(len(each.risk)) < each.risk
    takes = rng.random(len(each.risk)) < np.where(leaves, acceptance, riders)
    stays = rng.random(len(each.risk)) < abs(effect)
    kept = np.sign(effect) * each.margin * (leaves & takes & stays)
    return (kept - takes * each.incentive).sum() - each.offer.cost.contact * len(each.risk)


@pytest.mark.parametrize("effect", [0.6, 0.0, -0.3, 1.0])
def test_known_assumptions_give_the_spread_of_customers_drawn_one_by_one(effect):
    made = contacts(offer(share(0.4), share(effect), share(0.7)))
    made["call"] = OfferContacts(
        "call", made["call"].offer, made["call"].risk, made["call"].margin,
        made["call"].margin[:, None].astype(np.float32), made["call"].incentive,
    )  # fmt: skip
    rng = np.random.default_rng(1)
    true = [one_by_one(made["call"], 0.4, effect, 0.7, rng) for _ in range(4000)]

    found = simulate_campaign(made, draws=20_000, seed=7)

    assert found.profit.mean() == pytest.approx(np.mean(true), abs=4 * np.std(true) / 60)
    assert found.profit.std() == pytest.approx(np.std(true), rel=0.05)
    assert found.profit.mean() == pytest.approx(expected_profit(made), abs=0.03 * np.std(true))


def test_equal_seeds_give_equal_draws():
    made = contacts(offer(beta(6, 14), beta(4, 6), beta(9, 1)))

    one, same, other = (simulate_campaign(made, draws=500, seed=s).profit for s in (7, 7, 8))

    assert (one == same).all()
    assert (one != other).any()


def test_nobody_contacted_is_refused():
    with pytest.raises(InputError, match="contacts nobody"):
        simulate_campaign({}, draws=100, seed=1)


@pytest.fixture(scope="module")
def report():
    made = contacts(offer(beta(6, 14), beta(4, 6), beta(2, 8)))
    made |= contacts(offer(beta(3, 7), beta(7, 3), beta(2, 8)), name="mail", seed=4)
    held = contacts(offer(beta(6, 14), beta(4, 6), beta(2, 8)), 20, seed=5)
    return made, roi_report(made, held, RUN, "USD")


def test_every_figure_names_its_run_and_assumptions(report):
    made, found = report
    known = {each.name for each in found.assumptions}

    assert found.run == RUN
    assert found.figure("profit").rests_on == tuple(sorted(known))
    assert not any("effect" in each for each in found.figure("cost").rests_on)
    assert set(found.figure("saved").rests_on) == {
        MARGIN, *(f"{offer}.{kind}" for offer in made for kind in ("acceptance", "effect"))
    }  # fmt: skip
    assert all(each.basis and not each.measured for each in found.assumptions)
    assert len(known) == 5 * len(made) + 1


def test_what_an_offer_costs_and_a_customer_brings_is_among_the_assumptions(report):
    made, found = report
    known = {each.name: each for each in found.assumptions}

    call, margin = made["call"], known[MARGIN]
    assert known["call.contact"].mean == 4.0
    assert known["call.incentive"].mean == pytest.approx(call.incentive.mean())
    assert margin.source == "estimated"
    assert margin.lower < margin.mean < margin.upper
    every = np.concatenate([each.margin for each in made.values()])
    assert margin.mean == pytest.approx(every.mean())


def test_an_offer_that_costs_more_than_it_keeps_is_cautious_where_many_take_it():
    # Given an incentive that is higher than what the effect keeps of the margin
    made = contacts(offer(beta(6, 14), share(0.01), share(0.0)))

    worst, middle, best = roi_report(made, {}, RUN, "USD").scenarios

    assert worst.profit < middle.profit < best.profit


def test_break_even_no_effect_and_the_parts_agree(report):
    made, found = report
    profit, saved, cost = (found.figure(n).value for n in ("profit", "saved", "cost"))

    assert profit == pytest.approx(saved - cost)
    assert (
        found.no_effect
        == pytest.approx(-cost)
        == pytest.approx(expected_profit(made, effect_times=0.0))
    )
    assert expected_profit(made, effect_times=found.break_even) == pytest.approx(0, abs=1e-6)
    assert found.figure("roi").value == pytest.approx(profit / cost)
    assert found.figure("profit").lower < profit < found.figure("profit").upper
    assert 0 <= found.loss_chance <= 1


def test_scenarios_are_ordered_and_the_tornado_begins_with_the_widest(report):
    _, found = report
    worst, middle, best = (each.profit for each in found.scenarios)

    assert worst < middle < best
    swings = [bar.swing for bar in found.tornado]
    assert swings == sorted(swings, reverse=True)
    costs = next(bar for bar in found.tornado if bar.assumption == COSTS)
    assert costs.swing == pytest.approx(0.4 * found.figure("cost").value)


def test_the_holdout_is_compared_and_priced(report):
    _, found = report

    assert (found.holdout.treated, found.holdout.held_out) == (400, 20)
    assert found.holdout.rate_with < found.holdout.rate_without
    assert sum(found.histogram[0]) == RUN.draws


def test_offers_that_keep_nobody_have_no_break_even():
    made = contacts(offer(share(0.3), share(0.0), share(0.5)))

    found = roi_report(made, {}, RUN, "USD")

    assert found.break_even is None
    assert found.loss_chance == 1.0
    assert found.holdout.forgone == 0.0


def normal(mean, deviation, kind=NormalShare):
    return kind(
        distribution="normal", mean=mean, standard_deviation=deviation,
        source="assumed", basis="a test",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "mean", "deviation"),
    [(NormalShare, 0.02, 0.05), (NormalShare, 0.5, 1.0), (NormalShare, 1.0, 0.2), (Normal, -0.9, 0.3), (Normal, 0.7, 0.8)],
)  # fmt: skip
def test_a_clipped_share_is_expected_to_be_what_its_draws_are_on_average(kind, mean, deviation):
    made = normal(mean, deviation, kind)

    drawn = made.draws(np.random.default_rng(7), 400_000)

    assert made.lowest <= drawn.min() <= drawn.max() <= 1
    assert made.expected == pytest.approx(drawn.mean(), abs=4 * drawn.std() / 632)


def test_a_share_far_from_its_limits_is_expected_at_its_mean():
    assert normal(0.2, 0.02).expected == 0.2
    assert normal(0.5, 1e-320).expected == 0.5
    assert normal(0.02, 0.05).expected == pytest.approx(0.0315, abs=1e-4)


def test_normal_shares_are_assumed_as_they_are_simulated():
    made = contacts(offer(normal(0.02, 0.05), share(0.5), normal(0.02, 0.05)))

    found = roi_report(made, {}, RUN, "USD")
    simulated = simulate_campaign(made, draws=100_000, seed=7)

    known = {each.name: each for each in found.assumptions}
    for kind, drawn in zip(
        ("acceptance", "effect", "free_riders"),
        drawn_assumptions(made["call"].offer, np.random.default_rng(1), 100_000),
        strict=True,
    ):
        each = known[f"call.{kind}"]
        assert each.mean == pytest.approx(drawn.mean(), abs=1e-3)
        assert (each.lower, each.upper) == pytest.approx(
            np.quantile(drawn, [0.025, 0.975]), abs=3e-3
        )
    assert assumption_range(made["call"].offer.acceptance, 0.95, 7)[0] == 0
    spread = simulated.profit.std() / np.sqrt(100_000)
    assert expected_profit(made) == pytest.approx(simulated.profit.mean(), abs=6 * spread)
