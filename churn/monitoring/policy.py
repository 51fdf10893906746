"""When to retrain: rules that ask for it, and holds that forbid it. Pure: no clock, no file, no database.

A decision starts a retraining and never promotes anything: what is trained must pass the promotion
gates. Every rule that is switched on is judged and kept with its figures, whether it asks or not.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from churn.frozen_model import FrozenModel, FrozenSettings
from churn.monitoring.alarms import YEAR
from churn.monitoring.staleness import CostRule, StaleMonth, retraining_pays

Trigger = Literal["by hand", "alarm", "schedule", "data volume", "cost"]
Hold = Literal["kill switch", "maintenance", "cooldown", "budget"]

_DAY = timedelta(days=1)


class AlarmRule(FrozenSettings):
    """Asks where the newest window raised an alarm, and so did enough of those before it.

    Attributes:
        windows: how many of the last windows must have raised one, the newest among them.
        of_last: how many windows are looked at.
    """

    windows: Annotated[int, Field(ge=1, le=100)] = 2
    of_last: Annotated[int, Field(ge=1, le=100)] = 3

    @model_validator(mode="after")
    def _can_happen(self) -> Self:
        if self.windows > self.of_last:
            raise ValueError(f"{self.windows} of the last {self.of_last} windows can never be")
        return self


class RetrainingPolicy(FrozenSettings):
    """Which rules ask for a retraining, and how often there may be one.

    Attributes:
        alarm: by drift alarms; None: not asked.
        every_days: by schedule, so many days after the champion was trained; None: not asked.
        new_rows: by so many labelled rows that the champion has not seen; None: not asked.
        cost: where staying stale costs more than retraining; None: not asked.
        cooldown_days: between two retrainings, whatever asks; a person need not wait.
        per_year: the most retrainings in any 365 days, those by hand included.
    """

    alarm: AlarmRule | None = AlarmRule()
    every_days: Annotated[int, Field(ge=1, le=3660)] | None = None
    new_rows: Annotated[int, Field(ge=1)] | None = None
    cost: CostRule | None = None
    cooldown_days: Annotated[int, Field(ge=0, le=366)] = 14
    per_year: Annotated[int, Field(ge=0, le=366)] = 6


class CheckedWindow(FrozenModel):
    """One drift check of the champion.

    Attributes:
        window: what tells it from every other.
        checked_at: when.
        raises_alarm: whether it did.
    """

    window: str = Field(min_length=1)
    checked_at: AwareDatetime
    raises_alarm: bool


class Maintenance(FrozenModel):
    """A time in which nothing is retrained.

    Attributes:
        start: first moment.
        end: first moment after it.
        reason: why.
    """

    start: AwareDatetime
    end: AwareDatetime
    reason: str = ""

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.end <= self.start:
            raise ValueError("a maintenance window ends after it starts")
        return self


class Switches(FrozenModel):
    """What people have switched off.

    Attributes:
        stop: why no retraining may start, until somebody clears it; empty: it may.
        maintenance: times in which none may start.
    """

    stop: str = ""
    maintenance: tuple[Maintenance, ...] = ()


class RetrainingEvidence(FrozenModel):
    """What is known when it is decided.

    Attributes:
        champion_trained_at: when the version in production was trained.
        windows: its drift checks, in any order; those before it was trained do not count.
        started: when earlier retrainings started, whatever became of them.
        new_rows: labelled rows that it has not seen.
        stale: what staying with it cost, month by month.
        asked_by: the person who asks for a retraining; empty: nobody.
        switches: what people have switched off.
    """

    champion_trained_at: AwareDatetime
    windows: tuple[CheckedWindow, ...] = ()
    started: tuple[AwareDatetime, ...] = ()
    new_rows: int = Field(default=0, ge=0)
    stale: tuple[StaleMonth, ...] = ()
    asked_by: str = ""
    switches: Switches = Switches()


class JudgedTrigger(FrozenModel):
    """One rule: whether it asks for a retraining, and why."""

    name: Trigger
    asks: bool
    reason: str


class ActiveHold(FrozenModel):
    """What forbids a retraining now, and why."""

    name: Hold
    reason: str


class TriggerDecision(FrozenModel):
    """Whether a retraining starts; it says nothing about a promotion.

    Attributes:
        verdict: `held` where a rule asks and something forbids it.
        triggers: every rule that is switched on.
        holds: what forbids a retraining now, whether or not a rule asks.
    """

    verdict: Literal["retrain", "held", "not needed"]
    triggers: tuple[JudgedTrigger, ...]
    holds: tuple[ActiveHold, ...]

    @property
    def sentence(self) -> str:
        """The verdict and what it rests on."""
        asks = " ".join(each.reason for each in self.triggers if each.asks)
        if self.verdict == "retrain":
            return f"Retrain. {asks}"
        if self.verdict == "held":
            return f"Held: {' '.join(each.reason for each in self.holds)} It was asked for: {asks}"
        figures = "".join(f" {each.reason}" for each in self.triggers)
        return f"Not needed: no rule asks for a retraining.{figures}"


def decide_retraining(
    evidence: RetrainingEvidence, policy: RetrainingPolicy, now: datetime
) -> TriggerDecision:
    """Decides whether a retraining starts.

    Where a clock was set back, a retraining that started after `now` counts as started now, and a
    champion trained after it as trained now.

    Args:
        evidence: what is known.
        policy: the rules.
        now: with its zone.

    Raises:
        ValueError: `now` has no zone.
    """
    if now.tzinfo is None:
        raise ValueError("the time of a decision needs a zone")
    triggers = _triggers(evidence, policy, now)
    holds = _holds(evidence, policy, now)
    wants_training = any(each.asks for each in triggers)
    verdict: Literal["retrain", "held", "not needed"] = "not needed"
    if wants_training:
        verdict = "held" if holds else "retrain"
    return TriggerDecision(verdict=verdict, triggers=triggers, holds=holds)


def _triggers(
    evidence: RetrainingEvidence, policy: RetrainingPolicy, now: datetime
) -> tuple[JudgedTrigger, ...]:
    person = evidence.asked_by.strip()
    judged = [
        JudgedTrigger(
            name="by hand",
            asks=bool(person),
            reason=f"{person} asks for it." if person else "Nobody asks for it.",
        )
    ]
    if policy.alarm is not None:
        judged.append(_alarm(evidence, policy.alarm))
    if policy.every_days is not None:
        days = (now - evidence.champion_trained_at) // _DAY
        judged.append(
            JudgedTrigger(
                name="schedule",
                asks=days >= policy.every_days,
                reason=f"The champion was trained {_count(max(0, days), 'day')} ago; the schedule "
                f"is every {_count(policy.every_days, 'day')}.",
            )
        )
    if policy.new_rows is not None:
        judged.append(
            JudgedTrigger(
                name="data volume",
                asks=evidence.new_rows >= policy.new_rows,
                reason=f"{_count(evidence.new_rows, 'labelled row')} are new to the champion; "
                f"{policy.new_rows:,} are enough.",
            )
        )
    if policy.cost is not None:
        known = [each for each in evidence.stale if each.until > evidence.champion_trained_at]
        pays, reason = retraining_pays(known, policy.cost)
        judged.append(JudgedTrigger(name="cost", asks=pays, reason=reason))
    return tuple(judged)


def _alarm(evidence: RetrainingEvidence, rule: AlarmRule) -> JudgedTrigger:
    seen = [each for each in evidence.windows if each.checked_at > evidence.champion_trained_at]
    last = sorted(seen, key=lambda each: each.checked_at)[-rule.of_last :]
    alarms = sum(each.raises_alarm for each in last)
    newest = bool(last) and last[-1].raises_alarm
    return JudgedTrigger(
        name="alarm",
        asks=newest and alarms >= rule.windows,
        reason=f"{alarms} of the last {_count(len(last), 'window')} raised an alarm, "
        f"{'the newest among them' if newest else 'the newest did not'}; it takes {rule.windows} "
        f"of {rule.of_last}, the newest among them."
        if last
        else "No window has been checked since the champion was trained.",
    )


def _holds(
    evidence: RetrainingEvidence, policy: RetrainingPolicy, now: datetime
) -> tuple[ActiveHold, ...]:
    holds = []
    if evidence.switches.stop:
        holds.append(
            ActiveHold(
                name="kill switch",
                reason=f"Retraining is switched off: {evidence.switches.stop.rstrip('.')}.",
            )
        )
    for each in evidence.switches.maintenance:
        if each.start <= now < each.end:
            why = f" ({each.reason})" if each.reason else ""
            until = each.end.isoformat(timespec="minutes")
            holds.append(ActiveHold(name="maintenance", reason=f"Maintenance until {until}{why}."))
    since = [max(now - each, timedelta(0)) for each in evidence.started]
    wait = policy.cooldown_days * _DAY
    if since and min(since) < wait and not evidence.asked_by.strip():
        holds.append(
            ActiveHold(
                name="cooldown",
                reason=f"The last retraining started {_count(min(since) // _DAY, 'day')} ago; the "
                f"cooldown is {_count(policy.cooldown_days, 'day')}.",
            )
        )
    spent = sum(each < YEAR for each in since)
    if spent >= policy.per_year:
        holds.append(
            ActiveHold(
                name="budget",
                reason=f"{_count(spent, 'retraining')} started in the last 365 days; the budget is "
                f"{policy.per_year}.",
            )
        )
    return tuple(holds)


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
