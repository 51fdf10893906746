"""What the ledger knows of a model's health, week by week."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.errors import InputError
from churn.evaluation.delong import Auc, delong
from churn.evaluation.disparities import Estimate, wilson_interval
from churn.evaluation.intervals import Interval
from churn.evaluation.weighted import Floats, Labels
from churn.ledger.answer_arrays import NOBODY, UNKNOWN, AnswerArrays
from churn.ledger.changes import ProductionChange
from churn.ledger.drift_checks import DriftLedger
from churn.ledger.predictions import PredictionLedger
from churn.ledger.records import Ledger
from churn.ledger.settled_outcomes import OutcomeSettings, OutcomeTiming
from churn.monitoring.alarms import WindowCheck
from churn.monitoring.estimated_performance import estimate_performance
from churn.monitoring.incidents import Incident, find_incidents

_FEWEST_OUTCOMES = 10
"""Customers who left, and who stayed, in a period whose ROC-AUC is drawn."""
_A_MONDAY, _WEEK = datetime(1970, 1, 5, tzinfo=UTC), timedelta(weeks=1)


@dataclass(frozen=True)
class Period:
    """The answers of one week.

    Attributes:
        start: its Monday, in UTC.
        predictions: how many.
        low: a tenth of the probabilities lie below.
        median: half of them do.
        high: nine tenths do.
        outcomes: of how many untreated customers the outcome is due and known, each once.
        churned: how many of those left within the horizon.
        treated: answers about customers that a campaign contacted, which are in no figure by outcomes.
        predicted: mean probability of those; None where there are none.
        left: interval of the share of those who left.
        roc_auc: of those; None with fewer than 10 who left or stayed.
        estimated: ROC-AUC to expect by the scores of all (CBPE); None with fewer than 50.
    """

    start: date
    predictions: int
    low: float
    median: float
    high: float
    outcomes: int = 0
    churned: int = 0
    treated: int = 0
    predicted: float | None = None
    left: Interval | None = None
    roc_auc: Auc | None = None
    estimated: Estimate | None = None

    @property
    def middle(self) -> datetime:
        """Where it is drawn."""
        return datetime(*self.start.timetuple()[:3], tzinfo=UTC) + timedelta(days=3.5)

    @property
    def off(self) -> bool:
        """Whether the share of those who left differs from what was predicted."""
        return (
            self.left is not None
            and self.predicted is not None
            and not self.left.covers(self.predicted)
        )


@dataclass(frozen=True)
class ModelHealth:
    """A model's history.

    Attributes:
        model: its name.
        kind: kind of the windows that were checked.
        checks: oldest first.
        incidents: alarms, oldest first.
        changes: versions that went into production, oldest first.
        periods: weeks with predictions, oldest first.
        timing: when an outcome counts.
    """

    model: str
    kind: str
    checks: tuple[WindowCheck, ...]
    incidents: tuple[Incident, ...]
    changes: tuple[ProductionChange, ...]
    periods: tuple[Period, ...]
    timing: OutcomeTiming

    @property
    def treated(self) -> int:
        """Answers about treated customers."""
        return sum(each.treated for each in self.periods)

    @property
    def open_incident(self) -> Incident | None:
        """The alarm that is open."""
        return next((each for each in self.incidents if each.resolution is None), None)

    @property
    def known(self) -> tuple[Period, ...]:
        """The weeks in which an outcome is known."""
        return tuple(each for each in self.periods if each.outcomes)

    @property
    def judged(self) -> tuple[Period, ...]:
        """The weeks that have a ROC-AUC by outcomes."""
        return tuple(each for each in self.periods if each.roc_auc is not None)


def read_health(
    ledger: str,
    model: str,
    kind: str | None = None,
    *,
    timing: OutcomeTiming | None = None,
    now: datetime | None = None,
) -> ModelHealth:
    """Reads everything that the ledger has; predictions are those of all its versions, without shadows.

    Args:
        ledger: the database's address.
        model: name of the model.
        kind: kind of the windows; that of the newest check where left out.
        timing: when an outcome counts; as monitoring has it where left out.
        now: until when outcomes are due; the clock's time where left out.

    Raises:
        InputError: nothing was checked, or the database cannot be used.
    """
    with DriftLedger(ledger) as drift:
        kinds = drift.kinds(model)
        if not kinds or (kind is not None and kind not in kinds):
            what = f"No {kind} window" if kind and kinds else "No window"
            raise InputError(
                f"{what} of model '{model}' was ever checked, by the ledger at {drift.place}. "
                + (f"It has: {', '.join(kinds)}." if kinds else "Run monitoring first.")
            )
        chosen = kind or kinds[0]
        checks = drift.checks(model, chosen)
        resolutions = drift.resolutions(model, chosen)
    with Ledger(ledger) as records:
        changes = [each for each in records.changes(model) if each.status == "done"]
    with PredictionLedger(ledger) as predictions:
        timing = timing or OutcomeSettings()
        answers = predictions.answers(model, timing, now or datetime.now(UTC))
        periods = tuple(_periods(answers))
    return ModelHealth(
        model=model,
        kind=chosen,
        checks=tuple(checks),
        incidents=find_incidents(checks, resolutions),
        changes=tuple(reversed(changes)),
        periods=periods,
        timing=timing,
    )


def _periods(answers: Iterator[AnswerArrays]) -> Iterator[Period]:
    weeks: defaultdict[int, list[list[NDArray[Any]]]] = defaultdict(list)
    for each in answers:
        week = (each.predicted_at - _A_MONDAY.timestamp()) // _WEEK.total_seconds()
        columns = (
            each.probability, each.churned, each.treated, each.customer, each.predicted_at
        )  # fmt: skip
        for number in np.unique(week):
            weeks[int(number)].append([values[week == number] for values in columns])
    for number, parts in sorted(weeks.items()):
        probability, churned, treated, customer, at = map(np.concatenate, zip(*parts, strict=True))
        counted = np.flatnonzero((churned != UNKNOWN) & ~treated)
        counted = counted[_first_of_each(customer[counted], at[counted])]
        start = (_A_MONDAY + number * _WEEK).date()
        period = _period(start, probability, probability[counted], churned[counted])
        yield replace(period, treated=int(treated.sum()))


def _first_of_each(customer: NDArray[np.int64], at: Floats) -> NDArray[np.int64]:
    """Places of each customer's first answer, and of all answers about nobody."""
    order = np.argsort(at, kind="stable")
    named = order[customer[order] != NOBODY]
    first = named[np.unique(customer[named], return_index=True)[1]]
    return np.concatenate([first, np.flatnonzero(customer == NOBODY)])


def _period(start: date, probability: Floats, known: Floats, left: Labels) -> Period:
    """A week of all scores, and of those whose outcome is known."""
    low, median, high = np.quantile(probability, (0.1, 0.5, 0.9))
    positives = int(left.sum())
    enough = min(positives, len(left) - positives) >= _FEWEST_OUTCOMES
    return Period(
        start=start,
        predictions=len(probability),
        low=float(low),
        median=float(median),
        high=float(high),
        outcomes=len(known),
        churned=positives,
        predicted=float(known.mean()) if len(known) else None,
        left=wilson_interval(positives, len(left)) if len(left) else None,
        roc_auc=delong(left, known) if enough else None,
        estimated=estimate_performance(probability).roc_auc,
    )
