"""The plan of an experiment, fixed before anybody is contacted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from math import ceil

from pydantic import Field

from churn.errors import InputError
from churn.experiments.assignment import HOLDOUT, TREATED
from churn.experiments.experiment_settings import ExperimentSettings
from churn.experiments.sample_size import achieved_power, detectable_rate, sample_size
from churn.experiments.sequential import equal_information, inflation, lan_demets
from churn.frozen_model import FrozenModel


class Look(FrozenModel):
    """A planned look at the outcomes.

    Attributes:
        number: 1, 2, ...
        due: the first day on which it may be taken: the outcomes it needs are complete then.
        information: share of all customers whose outcome is known then.
        bound: |z| at which the experiment may stop.
    """

    number: int
    due: date
    information: float
    bound: float


class ExperimentPlan(FrozenModel):
    """What is fixed before the first contact.

    Attributes:
        name: of the experiment.
        begins: the day of the first assignment.
        holdout_rate: churn expected without any contact; the mean predicted risk of the customers.
        treated_rate: the highest rate of the treated that is worth detecting.
        settings: level, power, horizon.
        shares: of the arms, by which customers are assigned.
        holdout, treated: customers of one campaign in each arm; a holdout of nobody counts as one.
        holdout_needed, treated_needed: customers that one look needs.
        inflation: how many times those the planned looks need at most.
        campaigns: how many campaigns of this size that takes.
        ends: when the last look is due.
        power: chance of detecting the least difference with one campaign.
        detectable_rate: highest rate of the treated that one campaign can detect; None for none.
        looks: in order.
        guardrails: what stops the experiment, a sentence each.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    begins: date
    holdout_rate: float
    treated_rate: float
    settings: ExperimentSettings
    shares: dict[str, float]
    holdout: int
    treated: int
    holdout_needed: int
    treated_needed: int
    inflation: float
    campaigns: int
    ends: date
    power: float
    detectable_rate: float | None
    looks: tuple[Look, ...]
    guardrails: tuple[str, ...] = ()

    def look_on(self, day: date) -> Look:
        """The latest look that is due.

        Raises:
            InputError: none is; the sentence says when the first one is.
        """
        due = [look for look in self.looks if look.due <= day]
        if not due:
            first = self.looks[0]
            raise InputError(
                f"Experiment '{self.name}' is read on {day}, before its first look is due on "
                f"{first.due}: outcomes are complete "
                f"{self.settings.horizon_days + self.settings.delay_days} days after the assignment. "
                "Wait, because an early look raises the rate of false findings."
            )
        return due[-1]


def plan_experiment(
    name: str,
    begins: date,
    holdout_rate: float,
    customers: Mapping[str, int],
    settings: ExperimentSettings,
    *,
    shares: Mapping[str, float],
    campaign_days: int = 30,
    guardrails: tuple[str, ...] = (),
) -> ExperimentPlan:
    """Plans an experiment that is run by repeated campaigns.

    Args:
        name: of the experiment.
        begins: the day of the first assignment.
        holdout_rate: churn expected without contact.
        customers: of one campaign, by arm.
        settings: level, power, horizon.
        shares: of the arms, by which customers are assigned.
        campaign_days: days from one campaign to the next.
        guardrails: what stops it, a sentence each.

    Raises:
        InputError: nobody is treated, or the expected churn is not a share.
    """
    holdout, treated = customers.get(HOLDOUT, 0), customers.get(TREATED, 0)
    if not treated:
        raise InputError(
            f"Experiment '{name}' treats nobody, so it measures nothing; select customers first."
        )
    ratio = shares[TREATED] / shares[HOLDOUT]
    rate = holdout_rate * (1 - settings.least_reduction)
    options = {"alpha": settings.alpha, "ratio": ratio}
    needed = sample_size(
        holdout_rate, rate, power=settings.power, method=settings.method, **options
    )
    equal = equal_information(settings.looks)
    factor = inflation(
        lan_demets(equal, settings.alpha).tolist(), equal, settings.alpha, settings.power
    )
    campaigns = max(1, ceil(needed * factor / max(holdout, 1)))
    looks = _looks(begins, campaigns, campaign_days, settings)
    return ExperimentPlan(
        name=name, begins=begins, holdout_rate=holdout_rate, treated_rate=rate, settings=settings,
        shares=dict(shares),
        holdout=holdout, treated=treated, holdout_needed=needed,
        treated_needed=ceil(needed * ratio), inflation=factor, campaigns=campaigns,
        ends=looks[-1].due, looks=looks, guardrails=guardrails,
        power=achieved_power(holdout_rate, rate, max(holdout, 1), **options),
        detectable_rate=detectable_rate(
            holdout_rate, max(holdout, 1), power=settings.power, **options
        ),
    )  # fmt: skip


def _looks(
    begins: date, campaigns: int, campaign_days: int, settings: ExperimentSettings
) -> tuple[Look, ...]:
    """A look is due once the last campaign that it needs has its outcomes."""
    count = min(settings.looks, campaigns)
    needed = [ceil(number * campaigns / count) for number in range(1, count + 1)]
    information = [each / campaigns for each in needed]
    bounds = lan_demets(information, settings.alpha).tolist()
    waiting = settings.horizon_days + settings.delay_days
    return tuple(
        Look(
            number=number,
            due=begins + timedelta(days=(each - 1) * campaign_days + waiting),
            information=share,
            bound=bound,
        )
        for number, (each, share, bound) in enumerate(
            zip(needed, information, bounds, strict=True), 1
        )
    )
