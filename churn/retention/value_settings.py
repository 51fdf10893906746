"""Assumptions about money, and the settings of the decision threshold.

These amounts were not measured at the business whose customers are scored. Each is an assumption
with a default and a basis; `ValueSettings.assumptions` states them in sentences, which are shown
with every figure that depends on them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from churn.frozen_model import FrozenSettings

Rule = Literal["profit", "break_even", "capacity", "f_beta"]
Money = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]
Currency = Annotated[str, Field(pattern=r"^([A-Z]{3})?$")]

CLV = 200.0
PAPER = "Verbraken, Verbeke & Baesens 2013"


class AcceptanceSettings(FrozenSettings):
    """How likely a customer about to leave is to take the offer and stay: Beta(alpha, beta)."""

    alpha: Positive = 6.0
    beta: Positive = 14.0

    @property
    def mean(self) -> float:
        """The expected acceptance rate, between 0 and 1."""
        return self.alpha / (self.alpha + self.beta)


class ValueSettings(FrozenSettings):
    """The money behind a retention campaign; every field is an assumption.

    Attributes:
        currency: currency of all amounts, three letters; empty for the data contract's.
        clv: what a customer who stays is still worth, the same for all.
        clv_months: if given, a customer's worth is months x margin x own monthly charge instead.
        margin: share of a monthly charge that is profit; counts with `clv_months` only.
        incentive: what the offer costs where it is taken.
        contact: what contacting a customer costs, whatever comes of it.
        acceptance: how likely a customer about to leave takes the offer and stays.
        free_riders: share of contacted customers who would have stayed anyway and take the offer.
    """

    currency: Currency = ""
    clv: Positive = CLV
    clv_months: Annotated[float, Field(gt=0, le=240)] | None = None
    margin: Share = 0.3
    incentive: Money = 10.0
    contact: Money = 1.0
    acceptance: AcceptanceSettings = AcceptanceSettings()
    free_riders: Annotated[float, Field(ge=0, le=1)] = 1.0

    @property
    def money(self) -> str:
        """What an amount is followed by: the currency, or words where nobody has stated one."""
        return self.currency or "units of money"

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What must be shown beside every figure built on these amounts, a sentence each."""
        acceptance, money = self.acceptance, self.money
        return (
            self._worth,
            (
                f"The offer costs {self.incentive:,.2f} {money} where it is taken"
                f"{_basis(self, 'incentive', '10 per offer')}."
            ),
            (
                f"Contacting a customer costs {self.contact:,.2f} {money}, whatever comes of it"
                f"{_basis(self, 'contact', '1 per contact')}."
            ),
            (
                f"Of the customers about to leave, {acceptance.mean:.0%} take the offer and stay; "
                f"how sure that is, Beta({acceptance.alpha:g}, {acceptance.beta:g}) says"
                f"{_basis(self, 'acceptance', 'Beta(6, 14)')}."
            ),
            (
                f"Of the customers contacted who would have stayed anyway, {self.free_riders:.0%} "
                f"take the offer, too{_basis(self, 'free_riders', 'all of them')}."
            ),
            (
                "A customer who takes the offer stays for the whole of that worth, contact makes "
                "nobody leave, and customers do not talk each other into it."
            ),
        )

    @property
    def _worth(self) -> str:
        if self.clv_months is None:
            return (
                f"A customer who stays is worth {self.clv:,.2f} {self.money}, the same for all"
                f"{_basis(self, 'clv', '200 per customer, in their currency')}."
            )
        return (
            f"A customer who stays is worth {self.clv_months:g} months x {self.margin:.0%} margin x "
            "the own monthly charge (as set in the configuration, not measured)."
        )

    def times(self, name: str, factor: float) -> ValueSettings | None:
        """Returns the settings with one assumption scaled; None where that leaves its range.

        Args:
            name: clv, incentive, contact or acceptance; an acceptance keeps alpha + beta.
            factor: above 0.
        """
        if name == "acceptance":
            total = self.acceptance.alpha + self.acceptance.beta
            alpha = self.acceptance.alpha * factor
            if not alpha < total:
                return None
            scaled = AcceptanceSettings(alpha=alpha, beta=total - alpha)
            return self.model_copy(update={name: scaled})
        if name == "clv" and self.clv_months is not None:
            name = "clv_months"
        return self.model_copy(update={name: getattr(self, name) * factor})


class MarginSettings(FrozenSettings):
    """What a customer still brings, where a campaign is planned; its playbook has what offers cost.

    Attributes:
        currency: currency of all amounts, three letters; empty for the data contract's.
        margin: share of a monthly charge that is profit; assumed.
        clv: what a customer who stays is worth, where no monthly charge or no stay is known; None for
            `CLV`.
    """

    currency: Currency = ""
    margin: Share = 0.3
    clv: Positive | None = None

    @property
    def money(self) -> str:
        """What an amount is followed by: the currency, or words where nobody has stated one."""
        return self.worth.money

    @property
    def worth(self) -> ValueSettings:
        """One worth for all customers, with the sentence that it is assumed."""
        return ValueSettings(currency=self.currency, clv=self.clv or CLV)


class HorizonSettings(FrozenSettings):
    """How far ahead a customer's margin counts.

    Attributes:
        months: that are counted, at most.
        yearly_discount: 0.1 takes a tenth off what comes a year later.
        draws: parameter draws behind every interval.
        seed: fixes them.
    """

    months: Annotated[int, Field(ge=1, le=240)] = 24
    yearly_discount: Annotated[float, Field(ge=0, le=1)] = 0.1
    draws: Annotated[int, Field(ge=20, le=2000)] = 200
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 7


class ThresholdSettings(FrozenSettings):
    """How the decision threshold is chosen, on out-of-fold scores of the development rows.

    Attributes:
        rule: `profit` maximises expected profit there; `break_even` takes the probability at
            which a contact pays for itself; `capacity` fills what the team can contact; `f_beta`
            maximises F-beta.
        capacity_share: share of the customers that can be contacted.
        capacity_customers: if given, how many can be contacted, instead of the share.
        beta: weight of recall against precision; 1 weighs them alike.
        recalibration: `if_it_helps` lets a shift or a line on the log-odds correct the
            probabilities where it helps beyond noise; `none` leaves them.
        folds: folds of the comparison between recalibrations.
        bootstrap_samples: resamplings of the customers behind every interval.
        seed: fixes every cut and every draw.
    """

    rule: Rule = "profit"
    capacity_share: Share = 0.2
    capacity_customers: Annotated[int, Field(ge=1)] | None = None
    beta: Annotated[float, Field(gt=0, le=10)] = 1.0
    recalibration: Literal["none", "if_it_helps"] = "if_it_helps"
    folds: Annotated[int, Field(ge=2, le=20)] = 5
    bootstrap_samples: Annotated[int, Field(ge=100, le=20_000)] = 2000
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 7


def _basis(value: ValueSettings, field: str, amount: str) -> str:
    """Where an amount comes from: the paper, if it is the default, else the configuration."""
    if getattr(value, field) == ValueSettings.model_fields[field].default:
        return f" (the value of {PAPER} for telecoms: {amount}; not measured here)"
    return " (as set in the configuration, not measured)"
