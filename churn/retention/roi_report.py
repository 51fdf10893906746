"""The return of a campaign as figures, each with the run and the assumptions that it rests on."""

from __future__ import annotations

from datetime import date
from typing import Literal

from churn.frozen_model import FrozenModel
from churn.retention.assumption import MEASURED
from churn.retention.cohorts import Amount


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
        value: the figure; `lower` and `upper` its interval at the 95% level.
        unit: money, share, customers or times.
        rests_on: names of the assumptions that it depends on.
    """

    name: str
    value: float
    lower: float
    upper: float
    unit: str = "money"
    rests_on: tuple[str, ...] = ()


class NamedAssumption(FrozenModel):
    """An assumption, by the name that figures refer to.

    Attributes:
        name: such as `one_year.effect`.
        title: in words.
        mean: expected; `lower` and `upper` hold 95% of it.
        source: `assumed`, `estimated` from the table with outcomes, or the experiment that measured it.
        basis: where it comes from.
        unit: share or money.
    """

    name: str
    title: str
    mean: float
    lower: float
    upper: float
    source: str
    basis: str
    unit: Literal["share", "money"] = "share"

    @property
    def measured(self) -> bool:
        """Whether an experiment has measured it here."""
        return self.source.startswith(MEASURED)


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

    @property
    def profit(self) -> Amount:
        """The expected profit with its interval."""
        found = self.figure("profit")
        return Amount(expected=found.value, lower=found.lower, upper=found.upper)
