"""Sums a simulated campaign up: figures, scenarios, what moves them, and the assumptions under them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from churn.retention.assumption import ASSUMED, ESTIMATED
from churn.retention.roi import (
    MARGIN,
    Floats,
    OfferContacts,
    SimulatedCampaign,
    assumption_range,
    expected_profit,
    simulate_campaign,
)
from churn.retention.roi_report import (
    HoldoutFacts,
    NamedAssumption,
    OfferReturn,
    RoiFigure,
    RoiReport,
    RunReference,
    Scenario,
    TornadoBar,
)

COSTS = "costs, 20% less or more"
_COST_RANGE = (0.8, 1.2)
_SCENARIO_LEVEL = 0.8  # the worse and the better tenth of each assumption are left out
_LEVEL = 0.95
_SHARES = {
    "acceptance": "share of the leavers who take it",
    "effect": "share of those who stay because of it",
    "free_riders": "share of the stayers who take it",
}
_SAVED = (".acceptance", ".effect", MARGIN)
_SPENT = (".acceptance", ".free_riders", ".contact", ".incentive")


def roi_report(
    contacts: Mapping[str, OfferContacts],
    holdout_contacts: Mapping[str, OfferContacts],
    run: RunReference,
    money: str,
) -> RoiReport:
    """Simulates the campaign and sums it up.

    Args:
        contacts: the contacted customers by offer.
        holdout_contacts: the customers of the holdout who would be contacted.
        run: what produced the customers; its draws and seed are used.
        money: what an amount is followed by.

    Raises:
        InputError: nobody is contacted.
    """
    simulated = simulate_campaign(contacts, draws=run.draws, seed=run.seed)
    assumptions = _assumptions(contacts, run.seed)
    named = {each.name for each in assumptions}
    expected = expected_profit(contacts)
    no_effect = expected_profit(contacts, effect_times=0.0)
    saved = expected - no_effect
    counts, edges = np.histogram(simulated.profit, 30)
    return RoiReport(
        run=run,
        money=money,
        figures=_figures(simulated, expected, no_effect, tuple(sorted(named))),
        loss_chance=float(np.mean(simulated.profit < 0)),
        break_even=-no_effect / saved if saved > 0 else None,
        no_effect=no_effect,
        scenarios=_scenarios(contacts, run.seed),
        tornado=_tornado(contacts, assumptions),
        offers=tuple(_offer(name, each) for name, each in contacts.items()),
        holdout=_holdout(contacts, holdout_contacts),
        histogram=(tuple(counts.tolist()), tuple(edges.tolist())),
        assumptions=assumptions,
    )


def _figures(
    simulated: SimulatedCampaign, expected: float, no_effect: float, named: tuple[str, ...]
) -> dict[str, RoiFigure]:
    def figure(
        name: str, value: float, drawn: Floats, kinds: tuple[str, ...], unit: str = "money"
    ) -> RoiFigure:
        edge = (1 - _LEVEL) / 2
        lower, upper = np.quantile(drawn, [edge, 1 - edge]).tolist()
        rests_on = tuple(each for each in named if each.endswith(kinds))
        return RoiFigure(
            name=name, value=value, lower=lower, upper=upper, unit=unit, rests_on=rests_on
        )

    cost, everything = -no_effect, _SAVED + _SPENT
    return {
        "profit": figure("Expected profit", expected, simulated.profit, everything),
        "saved": figure("Margin expected to be kept", expected + cost, simulated.saved, _SAVED),
        "cost": figure("Expected cost", cost, simulated.cost, _SPENT),
        "roi": figure(
            "Profit for each unit spent", expected / cost, simulated.profit / simulated.cost,
            everything, "times",
        ),
    }  # fmt: skip


def _assumptions(contacts: Mapping[str, OfferContacts], seed: int) -> tuple[NamedAssumption, ...]:
    """What every offer assumes, and the margin that the contacted customers are expected to bring."""
    found = [each for name, own in contacts.items() for each in _of_offer(name, own, seed)]
    return (*found, _remaining_margin(contacts))


def _of_offer(name: str, each: OfferContacts, seed: int) -> Iterator[NamedAssumption]:
    for kind, assumption in each.offer.assumptions.items():
        lower, upper = assumption_range(assumption, _LEVEL, seed)
        yield NamedAssumption(
            name=f"{name}.{kind}",
            title=f"{each.offer.title}, {_SHARES[kind]}",
            mean=assumption.expected,
            lower=lower,
            upper=upper,
            source=assumption.source,
            basis=assumption.basis,
        )
    cost = each.offer.cost
    taken = float(each.incentive.mean())
    for kind, words, amount in (
        ("contact", "cost of a contact", cost.contact),
        ("incentive", "cost where it is taken, on average", taken),
    ):
        yield NamedAssumption(
            name=f"{name}.{kind}",
            title=f"{each.offer.title}, {words}",
            mean=amount,
            lower=amount,
            upper=amount,
            source=cost.source,
            basis=cost.basis,
            unit="money",
        )


def _remaining_margin(contacts: Mapping[str, OfferContacts]) -> NamedAssumption:
    count = sum(len(each.margin) for each in contacts.values())
    drawn = np.sum(
        [each.margin_draws.sum(axis=0, dtype=float) for each in contacts.values()], axis=0
    )
    edge = (1 - _LEVEL) / 2
    lower, upper = (np.quantile(drawn, [edge, 1 - edge]) / count).tolist()
    estimated = lower < upper
    return NamedAssumption(
        name=MARGIN,
        title="Margin still expected from a contacted customer, on average",
        mean=sum(float(each.margin.sum()) for each in contacts.values()) / count,
        lower=lower,
        upper=upper,
        source=ESTIMATED if estimated else ASSUMED,
        basis="stays seen in the table, and the assumed margin"
        if estimated
        else "one worth for all",
        unit="money",
    )


def _tornado(
    contacts: Mapping[str, OfferContacts], assumptions: tuple[NamedAssumption, ...]
) -> tuple[TornadoBar, ...]:
    bars = [
        TornadoBar(
            assumption=each.name,
            at_lower=expected_profit(contacts, {each.name: each.lower}),
            at_upper=expected_profit(contacts, {each.name: each.upper}),
        )
        for each in assumptions
        if each.name != MARGIN and each.lower < each.upper
    ]
    kept = np.sum([each.kept_draws() for each in contacts.values()], axis=0)
    mean = sum(float(each.risk @ each.margin) for each in contacts.values())
    lower, upper = (np.quantile(kept, [0.025, 0.975]) / mean).tolist()
    bars += [
        TornadoBar(
            assumption=MARGIN,
            at_lower=expected_profit(contacts, margin_times=lower),
            at_upper=expected_profit(contacts, margin_times=upper),
        ),
        TornadoBar(
            assumption=COSTS,
            at_lower=expected_profit(contacts, cost_times=_COST_RANGE[0]),
            at_upper=expected_profit(contacts, cost_times=_COST_RANGE[1]),
        ),
    ]
    return tuple(sorted(bars, key=lambda bar: -bar.swing))


def _scenarios(contacts: Mapping[str, OfferContacts], seed: int) -> tuple[Scenario, ...]:
    """Every acceptance, effect and free-rider share at the end of its range that earns less, or more; margins and costs as expected."""
    worse: dict[str, float] = {}
    better: dict[str, float] = {}
    for name, each in contacts.items():
        for kind, assumption in each.offer.assumptions.items():
            place = f"{name}.{kind}"
            ends = assumption_range(assumption, _SCENARIO_LEVEL, seed)
            worse[place], better[place] = _by_profit(contacts, place, ends)
    return (
        Scenario(name="cautious", profit=expected_profit(contacts, worse)),
        Scenario(name="expected", profit=expected_profit(contacts)),
        Scenario(name="hopeful", profit=expected_profit(contacts, better)),
    )


def _by_profit(
    contacts: Mapping[str, OfferContacts], place: str, ends: tuple[float, float]
) -> list[float]:
    return sorted(ends, key=lambda end: expected_profit(contacts, {place: end}))


def _offer(name: str, each: OfferContacts) -> OfferReturn:
    profit = expected_profit({name: each})
    cost = -expected_profit({name: each}, effect_times=0.0)
    saved, effect = profit + cost, each.offer.effect.expected
    needed = effect * cost / saved if saved > 0 else None
    return OfferReturn(
        name=name,
        title=each.offer.title,
        channel=each.offer.channel,
        owner=each.offer.owner,
        customers=len(each.risk),
        saved=saved,
        cost=cost,
        profit=profit,
        break_even=needed if needed is not None and needed <= 1 else None,
    )


def _holdout(
    contacts: Mapping[str, OfferContacts], held_out: Mapping[str, OfferContacts]
) -> HoldoutFacts:
    treated = sum(len(each.risk) for each in contacts.values())
    leaving = sum(float(each.risk.sum()) for each in contacts.values())
    stay = sum(
        float(each.risk.sum()) * each.offer.acceptance.expected * each.offer.effect.expected
        for each in contacts.values()
    )
    return HoldoutFacts(
        treated=treated,
        held_out=sum(len(each.risk) for each in held_out.values()),
        rate_without=leaving / treated,
        rate_with=(leaving - stay) / treated,
        forgone=expected_profit(held_out),
    )
