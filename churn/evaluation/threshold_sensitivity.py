"""How the threshold changes where an assumption about money is halved or doubled."""

from __future__ import annotations

from churn.evaluation.threshold_cutoffs import Cutoffs
from churn.evaluation.weighted import Floats, Labels
from churn.frozen_model import FrozenModel
from churn.retention.profit import campaign_profit, contact_value
from churn.retention.value_settings import ThresholdSettings, ValueSettings

VARIED = {
    "clv": "a customer's worth",
    "incentive": "the cost of the offer",
    "contact": "the cost of a contact",
    "acceptance": "the acceptance",
}
FACTORS = {0.5: "halved", 2.0: "doubled"}


class Sensitivity(FrozenModel):
    """The choice with one assumption changed.

    Attributes:
        threshold: the one that then earns most, on the same rows.
        share: share of the customers it contacts.
        profit: what it earns per customer.
        profit_unchanged: what the threshold chosen before then earns.
    """

    assumption: str
    change: str
    threshold: float
    share: float
    profit: float
    profit_unchanged: float

    @property
    def forgone(self) -> float:
        """What staying with the threshold chosen before costs per customer."""
        return self.profit - self.profit_unchanged


def sensitivities(
    target: Labels,
    probability: Floats,
    clv: Floats,
    value: ValueSettings,
    threshold: float,
    settings: ThresholdSettings,
) -> tuple[Sensitivity, ...]:
    """Halves and doubles each assumption by itself, on the rows that chose the threshold."""
    results = []
    for name, words in VARIED.items():
        for factor, change in FACTORS.items():
            other = value.times(name, factor)
            if other is None:
                continue
            worth = clv * factor if name == "clv" else clv
            per_contact = contact_value(target, worth, other).profit_at(other.acceptance.mean)
            cuts = Cutoffs.from_scores(target, probability, per_contact)
            best = cuts.threshold_for("profit", settings, 1.0)
            results.append(
                Sensitivity(
                    assumption=words,
                    change=change,
                    threshold=best,
                    share=float((probability >= best).mean()),
                    profit=float(campaign_profit(target, probability, best, worth, other).mean()),
                    profit_unchanged=float(
                        campaign_profit(target, probability, threshold, worth, other).mean()
                    ),
                )
            )
    return tuple(results)


def sensitivity_sentence(found: tuple[Sensitivity, ...], currency: str) -> str:
    """Says how far one wrong assumption moves the threshold and the profit."""
    lowest = min(found, key=lambda each: each.threshold)
    highest = max(found, key=lambda each: each.threshold)
    worst = max(found, key=lambda each: each.forgone)
    return (
        f"With one assumption halved or doubled, the threshold that earns most lies between "
        f"{lowest.threshold:.1%} ({lowest.assumption} {lowest.change}) and "
        f"{highest.threshold:.1%} ({highest.assumption} {highest.change}); keeping the chosen one "
        f"would forgo at most {worst.forgone:.2f} {currency} per customer "
        f"({worst.assumption} {worst.change})."
    )
