"""The report on a decision threshold: how it was chosen, what it earns, on which assumptions."""

from __future__ import annotations

from pydantic import Field
from scipy.special import expit, logit

from churn.evaluation.intervals import Interval
from churn.evaluation.recalibration import Recalibration
from churn.evaluation.threshold_gate import Campaign, GateJudgement
from churn.evaluation.threshold_sensitivity import Sensitivity, sensitivity_sentence
from churn.frozen_model import FrozenModel
from churn.models.recalibrated import LogitMap
from churn.retention.value_settings import Rule, ThresholdSettings, ValueSettings

_MARGIN = 1e-12


class ThresholdChoice(FrozenModel):
    """The threshold that one rule chooses.

    Attributes:
        basis: the rule in words, with its figures.
        campaign: its result on the rows that chose it, which is slightly optimistic.
        interval: where the threshold falls in 95 of 100 resamplings of the customers.
    """

    rule: Rule
    basis: str
    campaign: Campaign
    interval: Interval

    @property
    def threshold(self) -> float:
        """The probability."""
        return self.campaign.threshold


class ProfitCurve(FrozenModel):
    """Share of the customers contacted, best scores first, against profit per customer.

    `threshold` is the probability from which on that share is contacted.
    """

    threshold: tuple[float, ...]
    share: tuple[float, ...]
    profit: tuple[float, ...]


class ThresholdReport(FrozenModel):
    """The decision threshold, how it was chosen, and what it earns where it had no part.

    Attributes:
        model: the recipe.
        rows: development customers whose out-of-fold scores chose.
        positives: of those, how many left.
        recalibration: the correction of the log-odds that comes before the threshold, and is served.
        choices: one for each rule; the rule in `settings` is the one that counts.
        expected_maximum_profit: EMPC on the development rows, per customer.
        expected_maximum_share: the share it contacts, on average over the acceptance.
        sensitivity: the choice where one assumption is halved or doubled.
        gate: the judgement on the gate rows; None before it was made.
    """

    model: str
    value: ValueSettings
    settings: ThresholdSettings
    rows: int = Field(ge=1)
    positives: int
    recalibration: Recalibration
    choices: tuple[ThresholdChoice, ...]
    expected_maximum_profit: float
    expected_maximum_share: float
    curve: ProfitCurve
    sensitivity: tuple[Sensitivity, ...]
    gate: GateJudgement | None = None

    @property
    def chosen(self) -> ThresholdChoice:
        """The choice of the rule in the settings."""
        return self.choice(self.settings.rule)

    def choice(self, rule: Rule) -> ThresholdChoice:
        """The choice of a rule."""
        return next(each for each in self.choices if each.rule == rule)

    @property
    def threshold(self) -> float:
        """The probability, after recalibration, from which on a customer is contacted."""
        return self.chosen.threshold

    @property
    def recalibrated(self) -> bool:
        """Whether the model serves corrected log-odds."""
        return not self.recalibration.map.identity

    @property
    def basis(self) -> str:
        """How the threshold was chosen, for a manifest or a record."""
        return (
            f"{self.chosen.basis}, on out-of-fold scores of {self.rows:,} development customers; "
            f"assumptions: {' '.join(self.assumptions)}"
        )

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What must be shown beside every profit in this report."""
        return self.value.assumptions

    @property
    def headlines(self) -> tuple[str, ...]:
        """The choice and what it earns; the assumptions belong beside them."""
        found = self.chosen
        return (
            (
                f"Customers are contacted from a probability of {found.threshold:.1%} on (95% "
                f"interval {found.interval.span('.1%')}), {found.basis}: out of fold, that is "
                f"{found.campaign.share:.0%} of the customers and "
                f"{found.campaign.leavers_reached:.0%} of those who left."
            ),
            self.gate.sentence(self.value.money)
            if self.gate
            else "What the threshold earns on the gate rows was not judged.",
        )

    @property
    def details(self) -> tuple[str, ...]:
        """The choice compared with others; the assumptions belong beside them."""
        money = self.value.money
        return (
            *((self.gate.rivals(money),) if self.gate else ()),
            sensitivity_sentence(self.sensitivity, money),
            (
                f"If the acceptance were known before each campaign, the ranking could earn "
                f"{self.expected_maximum_profit:.2f} {money} per customer out of fold (EMPC), "
                f"contacting {self.expected_maximum_share:.0%} on average; at its assumed mean, the "
                f"most is {self.choice('profit').campaign.profit:.2f} (MPC)."
            ),
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain words, most important first; the assumptions belong beside them."""
        return (*self.headlines, self.recalibration.sentence, *self.details)

    @property
    def figures(self) -> dict[str, float]:
        """What a tracker plots, dotted names."""
        figures = {
            "threshold.value": self.threshold,
            "threshold.share": self.chosen.campaign.share,
            "threshold.profit": self.chosen.campaign.profit,
            "threshold.empc": self.expected_maximum_profit,
        }
        if self.gate:
            figures["gate.profit"] = self.gate.chosen.profit
            figures["gate.contacted_share"] = self.gate.chosen.share
        return figures


def served_threshold(report: ThresholdReport, served: LogitMap) -> float:
    """Returns the threshold as a probability of a model that serves this recalibration.

    A model of release 0.1.0 was stored without the recalibration that its threshold was chosen
    after. That is a rising line on the log-odds: going back along it contacts exactly the same
    customers.
    """
    correction = report.recalibration.map
    if correction == served:
        return report.threshold
    raw = (logit(report.threshold) - correction.intercept) / correction.slope
    # Both conversions round; the margin keeps a customer exactly at the threshold selected.
    return float(expit(raw)) * (1 - _MARGIN)
