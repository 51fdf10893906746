"""The return of a campaign as figures, each with the run and the assumptions that it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from churn.frozen_model import FrozenModel
from churn.retention.roi import (
    MARGIN,
    Floats,
    OfferContacts,
    SimulatedCampaign,
    assumption_range,
    expected_profit,
    simulate_campaign,
)

COSTS = "costs, 20% less or more"
_COST_RANGE = (0.8, 1.2)
_SCENARIO_LEVEL = 0.8  # the worse and the better tenth of each assumption are left out
_LEVEL = 0.95


class RunReference(FrozenModel):
    """What produced a figure.

    Attributes:
        day: of the run.
        model: that scored, and its version.
        playbook: name of the playbook.
        playbook_digest: SHA-256 of what it says.
        draws, seed: of the simulation.
    """

    day: date
    model: str
    version: str
    playbook: str
    playbook_digest: str
    draws: int
    seed: int


class RoiFigure(FrozenModel):
    """One figure.

    Attributes:
        name: in words.
        value: the figure; `lower` and `upper` its interval at the 95% level, None where it has none.
        unit: money, share, customers or times.
        rests_on: names of the assumptions that it depends on.
    """

    name: str
    value: float
    lower: float | None = None
    upper: float | None = None
    unit: str = "money"
    rests_on: tuple[str, ...] = ()


class NamedAssumption(FrozenModel):
    """An assumption, by the name that figures refer to.

    Attributes:
        name: such as `one_year.effect`.
        title: in words.
        mean: expected; `lower` and `upper` hold 95% of it.
        source: `assumed`, or the experiment that measured it.
        basis: where it comes from.
    """

    name: str
    title: str
    mean: float
    lower: float
    upper: float
    source: str
    basis: str


class TornadoBar(FrozenModel):
    """Expected profit with one assumption at the ends of its 95% range, the others at their means."""

    assumption: str
    at_lower: float
    at_upper: float

    @property
    def swing(self) -> float:
        """How far it moves the profit."""
        return abs(self.at_upper - self.at_lower)


class Scenario(FrozenModel):
    """Expected profit where every assumption is less, as or more favourable than expected."""

    name: str
    profit: float


class OfferReturn(FrozenModel):
    """One offer of the campaign, at the assumptions' means; amounts in the run's currency.

    Attributes:
        name, title, channel, owner: of the playbook.
        customers: contacted with it.
        saved, cost, profit: expected.
        break_even: the effect at which it just pays; None where no effect could.
    """

    name: str
    title: str
    channel: str
    owner: str
    customers: int
    saved: float
    cost: float
    profit: float
    break_even: float | None


class HoldoutFacts(FrozenModel):
    """Treated against holdout, as expected before any outcome.

    Attributes:
        treated: customers contacted.
        held_out: customers who would be contacted, but are left out by chance.
        rate_without: churn expected of the contacted without any contact.
        rate_with: the same with it.
        forgone: profit expected of the held-out customers, which measuring costs.
    """

    treated: int
    held_out: int
    rate_without: float
    rate_with: float
    forgone: float


class RoiReport(FrozenModel):
    """The return of one campaign.

    Attributes:
        run: what produced the figures.
        money: what an amount is followed by.
        figures: by name.
        loss_chance: share of the draws in which the campaign loses money.
        break_even: share of the assumed effects at which the campaign just pays; None where nothing is saved.
        no_effect: profit if the offers keep nobody.
        scenarios: cautious, expected, hopeful.
        tornado: the widest swing first.
        offers: in the playbook's order.
        holdout: treated against holdout.
        histogram: counts of simulated profits, and their edges.
        assumptions: all that figures refer to.
    """

    run: RunReference
    money: str
    figures: dict[str, RoiFigure]
    loss_chance: float
    break_even: float | None
    no_effect: float
    scenarios: tuple[Scenario, ...]
    tornado: tuple[TornadoBar, ...]
    offers: tuple[OfferReturn, ...]
    holdout: HoldoutFacts
    histogram: tuple[tuple[int, ...], tuple[float, ...]]
    assumptions: tuple[NamedAssumption, ...]

    def figure(self, name: str) -> RoiFigure:
        """One figure."""
        return self.figures[name]


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
        name: str, value: float, drawn: Floats, unit: str = "money", without: str = ""
    ) -> RoiFigure:
        edge = (1 - _LEVEL) / 2
        lower, upper = np.quantile(drawn, [edge, 1 - edge]).tolist()
        rests_on = tuple(each for each in named if not without or not each.endswith(without))
        return RoiFigure(
            name=name, value=value, lower=lower, upper=upper, unit=unit, rests_on=rests_on
        )

    cost = -no_effect
    return {
        "profit": figure("Expected profit", expected, simulated.profit),
        "saved": figure("Margin expected to be kept", expected + cost, simulated.saved),
        "cost": figure("Expected cost", cost, simulated.cost, without=".effect"),
        "roi": figure(
            "Profit for each unit spent", expected / cost, simulated.profit / simulated.cost, "times"
        ),
    }  # fmt: skip


def _assumptions(contacts: Mapping[str, OfferContacts], seed: int) -> tuple[NamedAssumption, ...]:
    words = {
        "acceptance": "share of the leavers who take it",
        "effect": "share of those who stay because of it",
        "free_riders": "share of the stayers who take it",
    }
    found = []
    for name, each in contacts.items():
        for kind, assumption in each.offer.assumptions.items():
            lower, upper = assumption_range(assumption, _LEVEL, seed)
            found.append(
                NamedAssumption(
                    name=f"{name}.{kind}",
                    title=f"{each.offer.title}: {words[kind]}",
                    mean=assumption.mean,
                    lower=lower,
                    upper=upper,
                    source=assumption.source,
                    basis=assumption.basis,
                )
            )
        cost = each.offer.cost
        found.append(
            NamedAssumption(
                name=f"{name}.contact",
                title=f"{each.offer.title}: cost of a contact",
                mean=cost.contact,
                lower=cost.contact,
                upper=cost.contact,
                source=cost.source,
                basis=cost.basis,
            )
        )
    return tuple(found)


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
        if each.lower < each.upper
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
    worse: dict[str, float] = {}
    better: dict[str, float] = {}
    for name, each in contacts.items():
        for kind, assumption in each.offer.assumptions.items():
            lower, upper = assumption_range(assumption, _SCENARIO_LEVEL, seed)
            worst, best = (upper, lower) if kind == "free_riders" else (lower, upper)
            worse[f"{name}.{kind}"], better[f"{name}.{kind}"] = worst, best
    return (
        Scenario(name="cautious", profit=expected_profit(contacts, worse)),
        Scenario(name="expected", profit=expected_profit(contacts)),
        Scenario(name="hopeful", profit=expected_profit(contacts, better)),
    )


def _offer(name: str, each: OfferContacts) -> OfferReturn:
    profit = expected_profit({name: each})
    cost = -expected_profit({name: each}, effect_times=0.0)
    saved, effect = profit + cost, each.offer.effect.mean
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
        float(each.risk.sum()) * each.offer.acceptance.mean * each.offer.effect.mean
        for each in contacts.values()
    )
    return HoldoutFacts(
        treated=treated,
        held_out=sum(len(each.risk) for each in held_out.values()),
        rate_without=leaving / treated,
        rate_with=(leaving - stay) / treated,
        forgone=expected_profit(held_out),
    )
