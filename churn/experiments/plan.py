"""The plan of an experiment, fixed before anybody is contacted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from math import ceil
from typing import Annotated

from pydantic import Field

from churn.errors import InputError
from churn.experiments.assignment import HOLDOUT, TREATED
from churn.experiments.sample_size import Method, achieved_power, detectable_rate, sample_size
from churn.experiments.sequential import equal_information, inflation, lan_demets
from churn.frozen_model import FrozenModel, FrozenSettings

_Share = Annotated[float, Field(gt=0, lt=1)]


class ExperimentSettings(FrozenSettings):
    """How the effect of a campaign is measured.

    Attributes:
        holdout: share of the selected customers that nobody contacts.
        alpha: how often a difference is found where there is none, over all looks.
        power: how often the least difference is found where there is one.
        least_reduction: the least relative reduction of churn that is worth detecting.
        method: which formula gives the sample size.
        looks: at the running experiment, the last one included.
        horizon_days: who leaves within so many days after the assignment counts as having left.
        delay_days: how much later outcomes may still be recorded.
        imbalance_level: p-value below which the arms' sizes are no chance (sample-ratio mismatch).
    """

    holdout: _Share = 0.2
    alpha: _Share = 0.05
    power: _Share = 0.8
    least_reduction: _Share = 0.1
    method: Method = "cohens_h"
    looks: Annotated[int, Field(ge=1, le=20)] = 5
    horizon_days: Annotated[int, Field(ge=1, le=3650)] = 30
    delay_days: Annotated[int, Field(ge=0, le=3650)] = 0
    imbalance_level: _Share = 0.001

    @property
    def shares(self) -> dict[str, float]:
        """The arms and their shares."""
        return {HOLDOUT: self.holdout, TREATED: 1 - self.holdout}

    @property
    def ratio(self) -> float:
        """Treated customers for each one in the holdout."""
        return (1 - self.holdout) / self.holdout


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
        name: of the experiment; the assignment's salt, too.
        begins: the day of the first assignment.
        holdout_rate: churn expected without any contact; the mean predicted risk of the customers.
        treated_rate: the highest rate of the treated that is worth detecting.
        settings: level, power, horizon.
        holdout, treated: customers of one campaign in each arm.
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
                f"{first.due}: outcomes are complete {self.settings.horizon_days} days after the "
                "assignment. Wait, because an early look raises the rate of false findings."
            )
        return due[-1]


def plan_experiment(
    name: str,
    begins: date,
    holdout_rate: float,
    customers: Mapping[str, int],
    settings: ExperimentSettings,
    *,
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
        campaign_days: days from one campaign to the next.
        guardrails: what stops it, a sentence each.

    Raises:
        InputError: an arm is empty or the expected churn is not a share.
    """
    holdout, treated = customers.get(HOLDOUT, 0), customers.get(TREATED, 0)
    if not holdout or not treated:
        empty = HOLDOUT if not holdout else TREATED
        raise InputError(
            f"Experiment '{name}' has nobody in the arm '{empty}': {holdout} held out, {treated} "
            "treated. Select more customers, or raise experiment.holdout."
        )
    ratio = treated / holdout
    rate = holdout_rate * (1 - settings.least_reduction)
    options = {"alpha": settings.alpha, "ratio": ratio}
    needed = sample_size(
        holdout_rate, rate, power=settings.power, method=settings.method, **options
    )
    equal = equal_information(settings.looks)
    factor = inflation(
        lan_demets(equal, settings.alpha).tolist(), equal, settings.alpha, settings.power
    )
    campaigns = max(1, ceil(needed * factor / holdout))
    looks = _looks(begins, campaigns, campaign_days, settings)
    return ExperimentPlan(
        name=name, begins=begins, holdout_rate=holdout_rate, treated_rate=rate, settings=settings,
        holdout=holdout, treated=treated, holdout_needed=needed,
        treated_needed=ceil(needed * ratio), inflation=factor, campaigns=campaigns,
        ends=looks[-1].due, looks=looks, guardrails=guardrails,
        power=achieved_power(holdout_rate, rate, holdout, **options),
        detectable_rate=detectable_rate(holdout_rate, holdout, power=settings.power, **options),
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
