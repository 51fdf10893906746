"""A retention playbook: what each customer may be offered, at which cost, and on what assumptions.

One YAML file per business, `data/playbooks/<contract>.yaml`. Its conditions name columns and
categories of the data contract; docs/playbooks.md describes every field.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from churn.frozen_model import FrozenSettings
from churn.retention.assumption import Beta, Effect, Fixed, Normal, Probability, Source
from churn.retention.value_settings import Money, Positive

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Words = Annotated[str, Field(min_length=1)]
Customers = Annotated[int, Field(ge=1, le=10**9)]
_Bound = Annotated[float, Field(allow_inf_nan=False)]


class Condition(FrozenSettings):
    """What one column must be: one of some categories, written as a list, or a number in bounds.

    Attributes:
        categories: the categories; empty for a number.
        at_least: the least number; None for no bound.
        at_most: the greatest.
    """

    categories: tuple[str, ...] = ()
    at_least: _Bound | None = None
    at_most: _Bound | None = None

    @model_validator(mode="before")
    @classmethod
    def _list_of_categories(cls, given: Any) -> Any:
        if isinstance(given, list):
            if not given:
                raise ValueError("must name at least one category: nobody could be eligible")
            given = {"categories": given}
        if isinstance(given, dict) and isinstance(given.get("categories"), list):
            given = given | {"categories": tuple(given["categories"])}  # JSON has no tuples
        return given


class OfferCost(FrozenSettings):
    """What an offer costs.

    Attributes:
        contact: paid for each customer contacted, whatever comes of it.
        incentive: paid where the offer is taken.
        bills: the same as a number of the customer's monthly bills: 20% off for a year is 2.4.
        source: whether the costs are assumed or were measured.
        basis: where they come from.
    """

    contact: Money
    incentive: Money = 0.0
    bills: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = 0.0
    source: Source
    basis: Words

    @model_validator(mode="after")
    def _not_free(self) -> Self:
        if not (self.contact or self.incentive or self.bills):
            raise ValueError(
                "must be above 0 in contact, incentive or bills: the return is told for each unit spent"
            )
        return self


class Guardrail(FrozenSettings):
    """A figure that must not get worse while an offer is made.

    Attributes:
        measure: what is measured, in words.
        at_most: above this the offer is stopped.
    """

    measure: Words
    at_most: Positive


class Offer(FrozenSettings):
    """One thing that a customer may be offered.

    Attributes:
        title: in words that follow "Offer".
        channel: how the customer is contacted.
        owner: who answers for the offer.
        capacity: customers who can be offered it in one campaign.
        cost: what it costs.
        acceptance: of the customers about to leave, the share that takes it.
        effect: of those, the share that stays because of it.
        free_riders: of the customers who would have stayed anyway, the share that takes it.
        eligibility: column -> condition; all must hold.
        proposes: column -> category that the offer would change it to; empty where it changes none.
            A customer who has it already is not eligible.
        family: offers of one family are variants: no customer may be eligible for two of them.
        guardrails: when it is to be stopped.
    """

    title: Words
    channel: Name
    owner: Words
    capacity: Customers
    cost: OfferCost
    acceptance: Probability
    effect: Effect
    free_riders: Probability
    eligibility: dict[str, Condition] = Field(default_factory=dict)
    proposes: dict[str, str] = Field(default_factory=dict)
    family: str = ""
    guardrails: Annotated[tuple[Guardrail, ...], Field(min_length=1)]

    @property
    def assumptions(self) -> dict[str, Beta | Normal | Fixed]:
        """The distributions by name."""
        return {
            "acceptance": self.acceptance,
            "effect": self.effect,
            "free_riders": self.free_riders,
        }


class Channel(FrozenSettings):
    """A way to reach customers.

    Attributes:
        title: in words that follow "by".
        contacts: customers who can be contacted by it in one campaign.
    """

    title: Words
    contacts: Customers


class FairnessFloor(FrozenSettings):
    """A group's least share of the contacts.

    Attributes:
        column: whose categories are the groups.
        floor: each group gets at least this multiple of its share of the customers who can be offered
            something; 1 is exactly its share.
    """

    column: Words
    floor: Annotated[float, Field(gt=0, le=1)]


class Playbook(FrozenSettings):
    """What may be offered, and within which limits.

    Attributes:
        name: of the playbook.
        contract: name of the data contract whose columns it speaks of.
        budget: what a campaign may be expected to cost at most; None for no limit.
        contacts: customers contacted in one campaign, at most; None for no limit.
        quiet_days: who was on the call list of the last so many days is not called again.
        channels: by name.
        fairness: floors that the allocation keeps.
        offers: by name.
    """

    name: Name
    contract: Words
    budget: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)] | None = None
    contacts: Customers | None = None
    quiet_days: Annotated[int, Field(ge=0, le=3660)] = 30
    channels: Annotated[dict[Name, Channel], Field(min_length=1)]
    fairness: tuple[FairnessFloor, ...] = ()
    offers: Annotated[dict[Name, Offer], Field(min_length=1)]

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Every figure that the offers rest on, with its source, a sentence each."""
        return tuple(
            f"Offer '{name}': {what} {given.expected:.0%}, {given.source} ({given.basis})."
            for name, offer in self.offers.items()
            for what, given in offer.assumptions.items()
        ) + tuple(
            f"Offer '{name}': costs {offer.cost.source} ({offer.cost.basis})."
            for name, offer in self.offers.items()
        )
