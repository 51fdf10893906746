"""What a retention campaign earns: per customer, in total, with outcomes known or only predicted.

The model is Verbraken, Verbeke & Baesens 2013 (IEEE Transactions on Knowledge and Data Engineering
25:961-973): everyone at or above a threshold is contacted and made an offer. Who was about to leave
takes it with probability gamma and stays; who would have stayed anyway takes it as a present.

    contacted, about to leave    gamma (CLV - incentive) - contact
    contacted, would have stayed -(free riders x incentive + contact)
    not contacted                0
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from churn.errors import InputError
from churn.retention.value_settings import ValueSettings

Floats = npt.NDArray[np.float64]


class ContactCosts(Protocol):
    """What a contact costs; `ValueSettings` has it for one offer, alike for all customers."""

    @property
    def contact(self) -> float:
        """Spent on each customer contacted."""

    @property
    def incentive(self) -> float | Floats:
        """Spent where the offer is taken; one for all, or float64[n]."""

    @property
    def free_riders(self) -> float:
        """Share of the customers who would have stayed anyway and take the offer."""


@dataclass(frozen=True, eq=False)
class ContactValue:
    """Value of contacting each of n customers: acceptance x gain - cost, in currency.

    Attributes:
        gain: float64[n], earned where a customer about to leave takes the offer.
        cost: float64[n], spent whatever the acceptance.
    """

    gain: Floats
    cost: Floats

    def profit_at(self, acceptance: float) -> Floats:
        """Profit of contacting each customer, float64[n], at an acceptance rate."""
        return acceptance * self.gain - self.cost


def contact_value(leaving: npt.ArrayLike, clv: npt.ArrayLike, value: ContactCosts) -> ContactValue:
    """What contacting each customer is worth.

    Args:
        leaving: [n] in [0, 1]: outcomes (1 for a customer who left), or calibrated probabilities,
            which give expectations.
        clv: [n], what each customer is worth if kept.
        value: what a contact costs.

    Raises:
        ValueError: the arrays do not match or hold something else than that.
    """
    chance = np.asarray(leaving, dtype=np.float64)
    worth = np.asarray(clv, dtype=np.float64)
    if chance.shape != worth.shape or chance.ndim != 1:
        raise ValueError(f"leaving {chance.shape} and clv {worth.shape} do not match")
    if not ((chance >= 0) & (chance <= 1)).all():
        raise ValueError("an outcome or a probability is not a number between 0 and 1")
    if not np.isfinite(worth).all():
        raise ValueError("a customer's worth is not a finite number")
    given_away = value.free_riders * value.incentive
    return ContactValue(
        gain=chance * (worth - value.incentive),
        cost=(1 - chance) * given_away + value.contact,
    )


def campaign_profit(
    target: npt.ArrayLike,
    probability: npt.ArrayLike,
    threshold: float,
    clv: npt.ArrayLike,
    value: ValueSettings,
) -> Floats:
    """What a campaign earns on each customer, float64[n]; the sum is the campaign's total.

    The acceptance is its assumed mean. Where no outcome is known yet, calibrated probabilities in
    place of `target` give the expected profit. `clv` is what each customer is worth if kept.

    Raises:
        ValueError: the arrays do not match.

    Examples:
        >>> from churn.retention.value_settings import ValueSettings
        >>> left, chance, worth = [1, 0, 0], [0.9, 0.6, 0.1], [200.0, 200.0, 200.0]
        >>> campaign_profit(left, chance, 0.5, worth, ValueSettings()).tolist()
        [56.0, -11.0, 0.0]
    """
    per_contact = contact_value(target, clv, value).profit_at(value.acceptance.mean)
    chance = np.asarray(probability, dtype=np.float64)
    if chance.shape != per_contact.shape:
        raise ValueError(f"probability {chance.shape} and target {per_contact.shape} do not match")
    return np.where(chance >= threshold, per_contact, 0.0)


def break_even(clv: float, value: ValueSettings) -> float:
    """The calibrated probability from which on contacting a customer pays for itself.

    Solves p (gamma (CLV - incentive) - contact) = (1 - p)(free riders x incentive + contact): the
    cost-sensitive threshold of Elkan 2001 (IJCAI, "The foundations of cost-sensitive learning").
    It is 1 where no contact can ever pay.
    """
    given_away = value.free_riders * value.incentive
    saved = value.acceptance.mean * (clv - value.incentive) + given_away
    spent = given_away + value.contact
    return min(1.0, spent / saved) if saved > 0 else 1.0


def check_worth(clv: npt.ArrayLike, value: ValueSettings) -> None:
    """Checks that a campaign can pay.

    Raises:
        InputError: a customer's worth is not a number, or nobody is worth more than the offer.
    """
    worth = np.asarray(clv, dtype=np.float64)
    if not np.isfinite(worth).all():
        raise InputError(
            f"{int((~np.isfinite(worth)).sum())} of {len(worth)} customers' worth is not a number; "
            "check the monthly charges, or set value.clv to one amount for all."
        )
    if worth.max() <= value.incentive:
        raise InputError(
            f"No customer is worth more than the offer of {value.incentive:g} {value.money} "
            "(value.incentive), so no campaign can pay; check value.clv, value.clv_months and "
            "value.margin."
        )
