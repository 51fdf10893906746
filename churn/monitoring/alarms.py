"""From the checks of a year to an alarm that is false once in a stated number of years.

Each check may spend an equal part of the year's level, and raises an alarm where its p-value lies at
or below that. Whatever the windows have in common (they share one reference), the chance of any
alarm in a year without drift is at most the sum of what was spent (Bonferroni). Tests that bet
against one reference as if it were the population itself do not have this property: the same
error of the reference is met in every window.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from churn.frozen_model import FrozenModel, FrozenSettings
from churn.monitoring.calibration import PERMUTATIONS
from churn.monitoring.drift_check import COLUMNS_SHARE, WATCH_LEVEL, CheckResult

Verdict = Literal["ok", "watch", "alarm", "cannot tell"]

YEAR = timedelta(days=365)
LEAST_LEVEL = 1 / (PERMUTATIONS + 1) / COLUMNS_SHARE
"""The smallest p-value that a check can have by its columns."""


class AlarmPolicy(FrozenSettings):
    """How often an alarm may be false, in words that a person understands.

    Attributes:
        one_false_alarm_in_years: without any drift, a year has an alarm once in so many years.
        checks_per_year: how many checks of one kind of window share a year's level; what comes
            beyond them can say `watch`, but raises no alarm.
        watch_level: the share of checks without drift that may say `watch`.
        false_discoveries: the share of the columns and slices named as moved that may not have.
    """

    one_false_alarm_in_years: Annotated[float, Field(ge=1, le=1000)] = 20.0
    checks_per_year: Annotated[int, Field(ge=1, le=100_000)] = 52
    watch_level: Annotated[float, Field(gt=0, le=0.2)] = WATCH_LEVEL
    false_discoveries: Annotated[float, Field(gt=0, le=0.2)] = 0.05

    @property
    def alarm_level(self) -> float:
        """What one check may spend of the year's level."""
        return 1 / self.one_false_alarm_in_years / self.checks_per_year

    @model_validator(mode="after")
    def _can_be_resolved(self) -> Self:
        if self.alarm_level < LEAST_LEVEL:
            most = int(1 / LEAST_LEVEL / self.one_false_alarm_in_years)
            raise ValueError(
                f"{self.checks_per_year} checks a year with one false alarm in "
                f"{self.one_false_alarm_in_years:g} years leave a check a level of "
                f"{self.alarm_level:.1g}, below the {LEAST_LEVEL:.1g} that {PERMUTATIONS:,} "
                f"permutations can resolve: no alarm could ever be raised. Check at most {most} "
                "times a year, or accept a false alarm more often"
            )
        return self


class WindowCheck(FrozenModel):
    """One check as it is kept: what it found, and what it spent.

    Attributes:
        model: name of the model.
        version: version of the bundle whose reference it was compared with.
        kind: kind of the window, such as `batch` or `predictions`; each has a year's level of its own.
        window: what tells this window from every other, such as the digest of its rows.
        number: 1, 2, ... among the checks of its model and kind.
        checked_at: in UTC.
        spent: of the year's level; 0 where the check cannot tell, or the year has had its checks.
        raises_alarm: whether its p-value lies at or below that.
        moved: columns that have moved, by LORD++ over all checks with this version.
        moved_slices: groups of customers whose score has moved, by the same.
        result: what the check found.
    """

    model: str = Field(min_length=1)
    version: str = Field(min_length=1)
    kind: str = Field(min_length=1)
    window: str = Field(min_length=1)
    number: int = Field(ge=1)
    checked_at: AwareDatetime
    spent: float = Field(ge=0, le=1)
    raises_alarm: bool
    moved: tuple[str, ...] = ()
    moved_slices: tuple[str, ...] = ()
    result: CheckResult


class Resolution(FrozenModel):
    """A person's word that an alarm is dealt with.

    Attributes:
        recorded_at: in UTC.
        number: the newest check that it is about.
        person: who resolved it.
        note: why; may be empty.
    """

    recorded_at: AwareDatetime
    number: int = Field(ge=1)
    person: str
    note: str = ""


class AlarmState(FrozenModel):
    """How a model and a kind of window stand after a check.

    Attributes:
        verdict: `alarm` from the check that raised it until a person resolves it, whatever later
            checks find; else what `check` found.
        check: the newest check, or that of the window in question; None where there is none.
        alarm: the check that raised the alarm that is open; None where none is.
        already_checked: whether the window had been checked before, so that it counted only then.
    """

    verdict: Verdict
    check: WindowCheck | None
    alarm: WindowCheck | None = None
    already_checked: bool = False


def spend(result: CheckResult, spending_checks: int, policy: AlarmPolicy) -> float:
    """What a check may spend after so many checks of the last year that spent something."""
    if result.p_value is None or spending_checks >= policy.checks_per_year:
        return 0.0
    return policy.alarm_level
