"""What each offer is expected to earn with each customer, under a playbook's assumptions.

A customer about to leave takes the offer with the probability `acceptance` and then stays with the
probability `effect`; one who would have stayed takes it with `free_riders`, as a present:

    risk x acceptance x (effect x remaining margin - incentive) - (1 - risk) x free riders x incentive - contact

which is `churn.retention.profit`'s formula where the effect is 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churn.contract import CodedColumn, DataContract
from churn.features.encoding import Columns
from churn.retention.playbook import Condition, Offer, Playbook
from churn.retention.profit import contact_value
from churn.retention.value import RemainingMargin, monthly_charge

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class OfferProfits:
    """Each offer with each of n customers, offers in the playbook's order.

    Attributes:
        names: of the offers.
        profit: float64[offers, n] expected, in currency; -inf where a customer is not eligible.
        cost: float64[offers, n] expected, whoever is eligible.
    """

    names: tuple[str, ...]
    profit: Floats
    cost: Floats

    @property
    def pays(self) -> NDArray[np.bool_]:
        """Whether any offer is expected to earn more than it costs, bool[n]."""
        best: Floats = self.profit.max(axis=0)
        return best > 0

    @property
    def saved(self) -> Floats:
        """What each offer is expected to keep, before its cost."""
        return self.profit + self.cost


@dataclass(frozen=True, eq=False)
class _Costs:
    contact: float
    incentive: float | Floats
    free_riders: float


def offer_profits(
    playbook: Playbook,
    contract: DataContract,
    columns: Columns,
    risk: Floats,
    margin: Floats,
) -> OfferProfits:
    """Expected profit and cost at the assumptions' means.

    Args:
        playbook: checked against the contract.
        contract: of the columns.
        columns: encoded columns of n customers.
        risk: float64[n], probability of leaving.
        margin: float64[n], what each is expected still to bring if kept.
    """
    profit = np.full((len(playbook.offers), len(risk)), -np.inf)
    cost = np.zeros_like(profit)
    charge = monthly_charge(columns, contract)
    for place, offer in enumerate(playbook.offers.values()):
        incentive = incentive_of(offer, charge)
        acceptance, riders = offer.acceptance.expected, offer.free_riders.expected
        costs = _Costs(offer.cost.contact, incentive, riders)
        earned = contact_value(risk, offer.effect.expected * margin, costs).profit_at(acceptance)
        may = eligible(offer, contract, columns)
        profit[place, may] = earned[may]
        cost[place] = offer.cost.contact + incentive * (risk * acceptance + (1 - risk) * riders)
    return OfferProfits(tuple(playbook.offers), profit, cost)


def profit_draws(
    offer: Offer, charge: Floats | None, risk: Floats, margin: RemainingMargin, seed: int
) -> Floats:
    """An offer's profit with n customers under drawn assumptions and remaining margins, float64[draws, n].

    Equal seeds give one offer the same draws for all customers, so their sum keeps what they share.
    """
    rng = np.random.default_rng(seed)
    count = margin.draws.shape[1]
    incentive = incentive_of(offer, charge)
    acceptance, effect, riders = (a.draws(rng, count) for a in offer.assumptions.values())
    drawn = np.empty((count, len(risk)))
    for row in range(count):
        costs = _Costs(offer.cost.contact, incentive, float(riders[row]))
        kept = effect[row] * margin.draws[:, row].astype(np.float64)
        drawn[row] = contact_value(risk, kept, costs).profit_at(float(acceptance[row]))
    return drawn


def incentive_of(offer: Offer, charge: Floats | None) -> float | Floats:
    """What the offer costs where it is taken, by each customer's monthly charge where it is in bills."""
    if not offer.cost.bills or charge is None:
        return offer.cost.incentive
    return offer.cost.incentive + offer.cost.bills * charge


def eligible(offer: Offer, contract: DataContract, columns: Columns) -> NDArray[np.bool_]:
    """Who may be made the offer, bool[n]: all conditions hold, and what is proposed is new to them."""
    count = len(next(iter(columns.values())))
    may = np.ones(count, dtype=np.bool_)
    for name, condition in offer.eligibility.items():
        may &= _holds(condition, contract, name, columns[name])
    for name, category in offer.proposes.items():
        may &= columns[name] != _code(contract, name, category)
    return may


def _holds(
    condition: Condition, contract: DataContract, name: str, values: NDArray[np.float64]
) -> NDArray[np.bool_]:
    if condition.categories:
        return np.isin(values, [_code(contract, name, each) for each in condition.categories])
    low = -np.inf if condition.at_least is None else condition.at_least
    high = np.inf if condition.at_most is None else condition.at_most
    return (values >= low) & (values <= high)


def _code(contract: DataContract, name: str, category: str) -> int:
    column = contract.column(name)
    assert isinstance(column, CodedColumn)  # noqa: S101 - checked with the playbook
    return column.categories.index(category)
