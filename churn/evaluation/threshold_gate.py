"""What a threshold's campaign earns on rows that had no part in choosing the threshold.

It is compared with contacting nobody, contacting everybody and the other rules' thresholds, on the
same customers, resampled in pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import Field

from churn.evaluation.intervals import Interval, mean_interval
from churn.evaluation.threshold_cutoffs import NOBODY
from churn.evaluation.weighted import Floats, Labels
from churn.frozen_model import FrozenModel
from churn.retention.maximum_profit import maximum_profit
from churn.retention.profit import campaign_profit
from churn.retention.value_settings import ThresholdSettings, ValueSettings

Name = TypeVar("Name", bound=str)

EVERYBODY = "everybody"
NO_CAMPAIGN = "nobody"
RULE_NAMES = {
    "profit": "most-profit",
    "break_even": "break-even",
    "capacity": "capacity",
    "f_beta": "F-beta",
    EVERYBODY: EVERYBODY,
    NO_CAMPAIGN: NO_CAMPAIGN,
}
"""Name of each campaign in text."""


class Campaign(FrozenModel):
    """Result of contacting everyone at or above a threshold, on some rows.

    Attributes:
        name: the rule that chose the threshold, `everybody` or `nobody`.
        contacted: customers at or above the threshold.
        share: share of all customers.
        leavers_reached: share of those who left that are among them.
        precision: share of the contacted who left; 0 where nobody is contacted.
        profit: mean over all customers, contacted or not, in currency.
        profit_interval: its 95% interval, customers resampled, the threshold held fixed.
    """

    name: str
    threshold: float = Field(ge=0, le=1)
    contacted: int = Field(ge=0)
    share: float
    leavers_reached: float
    precision: float
    profit: float
    profit_interval: Interval


class ProfitDifference(FrozenModel):
    """Profit per customer gained over another campaign on the same customers, in currency.

    The 95% interval resamples the customers in pairs.
    """

    reference: str
    difference: float
    interval: Interval

    @property
    def sure(self) -> bool:
        """Whether chance alone does not explain it."""
        return not self.interval.covers(0.0)

    def words(self, currency: str) -> str:
        """The difference as part of a sentence."""
        standing = "" if self.sure else ", not distinguishable"
        gained = round(self.difference, 2) + 0.0  # no minus before a zero
        return (
            f"{gained:+.2f} {currency} against {_called(self.reference)} "
            f"({self.interval.span('+.2f')}{standing})"
        )


class GateJudgement(FrozenModel):
    """The chosen threshold's campaign and its rivals on the gate rows.

    Attributes:
        campaigns: the chosen one first, then the other rules', everybody, nobody.
        differences: the chosen one against each of the others.
        hindsight: profit per customer of the best threshold, had these outcomes been known.
    """

    rows: int = Field(ge=1)
    positives: int
    campaigns: tuple[Campaign, ...] = Field(min_length=1)
    differences: tuple[ProfitDifference, ...]
    hindsight: float

    @property
    def chosen(self) -> Campaign:
        """The campaign of the chosen threshold."""
        return self.campaigns[0]

    def sentence(self, currency: str) -> str:
        """The judgement in words; the assumptions belong beside it."""
        found = self.chosen
        return (
            f"On {self.rows:,} gate rows the chosen threshold contacts {found.contacted:,} "
            f"customers ({found.share:.0%}), reaches {found.leavers_reached:.0%} of the "
            f"{self.positives:,} who left and, under the assumptions, earns {found.profit:.2f} "
            f"{currency} per customer (95% interval {found.profit_interval.span('.2f')}), "
            f"{found.profit * self.rows:,.0f} {currency} in all: "
            f"{self.against(EVERYBODY).words(currency)}."
        )

    def rivals(self, currency: str) -> str:
        """The other rules' thresholds, in words."""
        others = [
            each.words(currency)
            for each in self.differences
            if each.reference not in (EVERYBODY, NO_CAMPAIGN)
        ]
        return (
            f"On the same gate rows it earns {'; '.join(others)}. With these outcomes known "
            f"beforehand, the best threshold would have earned {self.hindsight:.2f} {currency}."
        )

    def against(self, reference: str) -> ProfitDifference:
        """The chosen campaign against another."""
        return next(each for each in self.differences if each.reference == reference)


def judge_campaigns(
    thresholds: Mapping[str, float],
    target: Labels,
    probability: Floats,
    clv: Floats,
    value: ValueSettings,
    settings: ThresholdSettings,
) -> GateJudgement:
    """Measures thresholds by rule, the chosen one first, on the gate rows.

    Probabilities are recalibrated as when the thresholds were chosen.
    """
    every = {**thresholds, EVERYBODY: 0.0, NO_CAMPAIGN: NOBODY}
    profits = {
        name: campaign_profit(target, probability, threshold, clv, value)
        for name, threshold in every.items()
    }
    first, *others = profits
    return GateJudgement(
        rows=len(target),
        positives=int(target.sum()),
        campaigns=tuple(
            measure_campaigns(every, target, probability, clv, value, settings).values()
        ),
        differences=tuple(
            ProfitDifference(
                reference=name,
                difference=float((profits[first] - profits[name]).mean()),
                interval=_mean_interval(profits[first] - profits[name], settings),
            )
            for name in others
        ),
        hindsight=maximum_profit(target, probability, clv, value).profit,
    )


def measure_campaigns(
    thresholds: Mapping[Name, float],
    target: Labels,
    probability: Floats,
    clv: Floats,
    value: ValueSettings,
    settings: ThresholdSettings,
) -> dict[Name, Campaign]:
    """Measures the campaign of each threshold: everyone at or above it is contacted."""
    return {
        name: _measured(
            name,
            threshold,
            target,
            probability,
            campaign_profit(target, probability, threshold, clv, value),
            settings,
        )
        for name, threshold in thresholds.items()
    }


def _measured(
    name: str,
    threshold: float,
    target: Labels,
    probability: Floats,
    profit: Floats,
    settings: ThresholdSettings,
) -> Campaign:
    inside = probability >= threshold
    contacted, reached = int(inside.sum()), int(target[inside].sum())
    return Campaign(
        name=name,
        threshold=threshold,
        contacted=contacted,
        share=contacted / len(target),
        leavers_reached=reached / int(target.sum()),
        precision=reached / contacted if contacted else 0.0,
        profit=float(profit.mean()),
        profit_interval=_mean_interval(profit, settings),
    )


def _mean_interval(values: Floats, settings: ThresholdSettings) -> Interval:
    return mean_interval(values, samples=settings.bootstrap_samples, seed=settings.seed)


def _called(name: str) -> str:
    if name in (EVERYBODY, NO_CAMPAIGN):
        return f"contacting {name}"
    return f"the {RULE_NAMES[name]} threshold"
