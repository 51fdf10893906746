"""What a campaign may earn: its profit simulated over everything that is assumed about it.

Each draw takes one value of every assumption and adds the chance of finitely many customers: with
the assumptions known, each customer still leaves, takes the offer and stays by chance. That part is
normal with the exact variance, since it is a sum over the contacted customers. The interval is of
the profit that a campaign would show, not of its expectation alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from churn.errors import InputError
from churn.retention.assumption import Beta, Fixed, Normal
from churn.retention.playbook import Offer

Floats = NDArray[np.float64]
MARGIN = "remaining margin"
_CHUNK = 4096


@dataclass(frozen=True, eq=False)
class OfferContacts:
    """The customers contacted with one offer.

    Attributes:
        name: of the offer.
        offer: costs and assumptions.
        risk: float64[n], probability of leaving.
        margin: float64[n], expected still from each, if kept.
        margin_draws: float32[n, m], the same under parameters that the data allow as well.
        incentive: float64[n], what the offer costs where it is taken.
    """

    name: str
    offer: Offer
    risk: Floats
    margin: Floats
    margin_draws: NDArray[np.float32]
    incentive: Floats
    _sums: dict[str, float] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Takes the sums that profit and variance need, once."""
        kept, paid = self.risk * self.margin, self.risk * self.incentive
        given = (1 - self.risk) * self.incentive
        sums = {
            "kept": kept.sum(), "paid": paid.sum(), "given": given.sum(),
            "kept_margin": kept @ self.margin, "kept_incentive": kept @ self.incentive,
            "paid_incentive": paid @ self.incentive, "given_incentive": given @ self.incentive,
            "kept_kept": kept @ kept, "paid_paid": paid @ paid, "given_given": given @ given,
            "kept_paid": kept @ paid, "kept_given": kept @ given, "paid_given": paid @ given,
            "contact": self.offer.cost.contact * len(self.risk),
        }  # fmt: skip
        object.__setattr__(self, "_sums", {name: float(value) for name, value in sums.items()})

    def kept_draws(self) -> Floats:
        """Risk times remaining margin, summed over the customers, under each of its draws."""
        return self.risk @ self.margin_draws.astype(np.float64)

    def saved(self, acceptance: Floats, effect: Floats, kept: Floats | None = None) -> Floats:
        """Expected margin that the offer keeps; `kept` for other remaining margins than expected."""
        return acceptance * effect * (self._sums["kept"] if kept is None else kept)

    def cost(self, acceptance: Floats, riders: Floats) -> Floats:
        """Expected cost."""
        sums = self._sums
        return acceptance * sums["paid"] + riders * sums["given"] + sums["contact"]

    def variance(self, acceptance: Floats, effect: Floats, riders: Floats) -> Floats:
        """Of the profit, over who leaves, takes the offer and stays."""
        sums, both = self._sums, acceptance * effect
        squares = (
            acceptance * np.abs(effect) * sums["kept_margin"]
            - 2 * both * sums["kept_incentive"]
            + acceptance * sums["paid_incentive"]
            + riders * sums["given_incentive"]
        )
        means = (
            both**2 * sums["kept_kept"]
            + acceptance**2 * sums["paid_paid"]
            + riders**2 * sums["given_given"]
            - 2 * both * acceptance * sums["kept_paid"]
            - 2 * both * riders * sums["kept_given"]
            + 2 * acceptance * riders * sums["paid_given"]
        )
        return np.maximum(squares - means, 0.0)


@dataclass(frozen=True, eq=False)
class SimulatedCampaign:
    """Draws of a campaign, float64[draws] each, in currency.

    Attributes:
        saved: margin kept, expected under the drawn assumptions.
        cost: the same of the costs.
        profit: what the campaign would show: saved less cost, with the chance of finitely many customers.
    """

    saved: Floats
    cost: Floats
    profit: Floats

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Bounds of the profit."""
        edge = (1 - level) / 2
        lower, upper = np.quantile(self.profit, [edge, 1 - edge])
        return float(lower), float(upper)


def simulate_campaign(
    contacts: Mapping[str, OfferContacts], *, draws: int, seed: int
) -> SimulatedCampaign:
    """Simulates a campaign; equal seeds give equal draws.

    Offers are independent of each other; all customers of an offer share its drawn assumptions, and
    all offers share the drawn remaining margins.

    Raises:
        InputError: nobody is contacted.
    """
    if not contacts:
        raise InputError(
            "The campaign contacts nobody, so there is no return to compute: no offer pays for any "
            "customer within the playbook's limits."
        )
    rng = np.random.default_rng(seed)
    margins = next(iter(contacts.values())).margin_draws.shape[1]
    margin = rng.integers(margins, size=draws)
    saved, cost, variance = np.zeros(draws), np.zeros(draws), np.zeros(draws)
    for each in contacts.values():
        acceptance, effect, riders = drawn_assumptions(each.offer, rng, draws)
        saved += each.saved(acceptance, effect, each.kept_draws()[margin])
        cost += each.cost(acceptance, riders)
        variance += each.variance(acceptance, effect, riders)
    chance = rng.standard_normal(draws) * np.sqrt(variance)
    return SimulatedCampaign(saved=saved, cost=cost, profit=saved - cost + chance)


def drawn_assumptions(
    offer: Offer, rng: np.random.Generator, draws: int
) -> tuple[Floats, Floats, Floats]:
    """Acceptance, effect and free riders of an offer, float64[draws] each."""
    acceptance, effect, riders = (each.draws(rng, draws) for each in offer.assumptions.values())
    return acceptance, effect, riders


def expected_profit(
    contacts: Mapping[str, OfferContacts],
    values: Mapping[str, float] | None = None,
    *,
    effect_times: float = 1.0,
    margin_times: float = 1.0,
    cost_times: float = 1.0,
) -> float:
    """Expected profit at the assumptions' means, or with some of them changed.

    Args:
        contacts: by offer.
        values: of some assumptions, by name such as `one_year.effect`.
        effect_times: scales every effect; 0 for offers that keep nobody.
        margin_times: scales every remaining margin.
        cost_times: scales every cost.
    """
    given, total = values or {}, 0.0
    for name, each in contacts.items():
        acceptance, effect, riders = (
            np.array([given.get(f"{name}.{kind}", assumption.expected)])
            for kind, assumption in each.offer.assumptions.items()
        )
        saved = each.saved(acceptance, effect * effect_times) * margin_times
        total += float((saved - cost_times * each.cost(acceptance, riders))[0])
    return total


def assumption_range(
    assumption: Beta | Normal | Fixed, level: float, seed: int
) -> tuple[float, float]:
    """Bounds that hold the share `level` of an assumption; twice its value where it is fixed."""
    edge = (1 - level) / 2
    drawn = assumption.draws(np.random.default_rng(seed), 20_000)
    lower, upper = np.quantile(drawn, [edge, 1 - edge])
    return float(lower), float(upper)
