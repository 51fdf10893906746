"""What an allocation must keep: capacities, a budget, contact caps and fairness floors, as linear rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churn.contract import CodedColumn, DataContract
from churn.features.encoding import Columns
from churn.retention.playbook import FairnessFloor, Playbook

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Limit:
    """One row: the weights of everything that is offered add up to the bound at most.

    Attributes:
        name: in words.
        used_up: why something is not offered where the limit stands in the way, in words.
        weight: of offering o to customer i, broadcastable to float64[offers, n].
        bound: of their sum.
    """

    name: str
    used_up: str
    weight: Floats
    bound: float

    def used(self, chosen: NDArray[np.int64]) -> float:
        """The sum for an allocation: int64[n], the offer of each customer, -1 for none."""
        return float(self.weights(chosen, np.flatnonzero(chosen >= 0)).sum())

    def of(self, offer: int, customer: int) -> float:
        """What offering one thing to one customer adds to the sum."""
        rows, columns = self.weight.shape
        return float(self.weight[offer if rows > 1 else 0, customer if columns > 1 else 0])

    def weights(self, chosen: NDArray[np.int64], rows: NDArray[np.int64]) -> Floats:
        """What some customers, who have an offer, add to the sum."""
        offers = chosen[rows] if self.weight.shape[0] > 1 else np.zeros(len(rows), np.int64)
        found: Floats = self.weight[offers, rows if self.weight.shape[1] > 1 else 0]
        return found


def playbook_limits(
    playbook: Playbook,
    contract: DataContract,
    columns: Columns,
    cost: Floats,
    reachable: NDArray[np.bool_],
) -> list[Limit]:
    """The rows of a playbook.

    Args:
        playbook: its limits.
        contract: of the columns.
        columns: encoded columns of n customers.
        cost: float64[offers, n], what offering each is expected to cost.
        reachable: bool[n], who can be offered anything that pays: the fairness floors' customers.
    """
    offers = list(playbook.offers.values())
    limits = []
    for offer, mine in zip(offers, np.eye(len(offers), dtype=bool), strict=True):
        why = f"the capacity of {offer.capacity:,} for {offer.title} is used up"
        limits.append(Limit(f"capacity for {offer.title}", why, _indicator(mine), offer.capacity))
    for name, channel in playbook.channels.items():
        mine = np.array([offer.channel == name for offer in offers])
        why = f"the {channel.contacts:,} contacts by {channel.title} are used up"
        limits.append(
            Limit(f"contacts by {channel.title}", why, _indicator(mine), channel.contacts)
        )
    everyone = _indicator(np.ones(len(offers), dtype=bool))
    if playbook.contacts is not None:
        why = f"the {playbook.contacts:,} contacts of the campaign are used up"
        limits.append(Limit("contacts of the campaign", why, everyone, playbook.contacts))
    if playbook.budget is not None:
        why = f"the budget of {playbook.budget:,.0f} is used up"
        limits.append(Limit("budget", why, cost, playbook.budget))
    for floor in playbook.fairness:
        limits += _floor_limits(floor, contract, columns, reachable)
    return limits


def _floor_limits(
    floor: FairnessFloor,
    contract: DataContract,
    columns: Columns,
    reachable: NDArray[np.bool_],
) -> list[Limit]:
    """A row for each group: floor x its share x everybody offered something - those of the group <= 0."""
    column = contract.column(floor.column)
    assert isinstance(column, CodedColumn)  # noqa: S101 - checked with the playbook
    limits = []
    for code, category in enumerate(column.categories):
        mine = columns[floor.column] == code
        share = float(mine[reachable].mean()) if reachable.any() else 0.0
        why = f"customers with {floor.column} '{category}' come first until they have their share"
        name = f"share of customers with {floor.column} '{category}'"
        limits.append(Limit(name, why, (floor.floor * share - mine)[None, :], 0.0))
    return limits


def _indicator(offers: NDArray[np.bool_]) -> Floats:
    return offers.astype(np.float64)[:, None]
