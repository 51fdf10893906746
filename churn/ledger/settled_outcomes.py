"""Which predictions have an outcome that can be measured, and what became of all the others.

A customer counts as having left who left within the horizon. A prediction is measured once its
horizon and the delay of its outcomes have passed: earlier, those who left are known and those who
stay are not, so that the churn rate would be far too high.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
from pydantic import Field

from churn.frozen_model import FrozenModel, FrozenSettings
from churn.ledger.matched_treatments import CLOCKS_DIFFER, match_treatments
from churn.ledger.prediction import Outcome, Prediction, TreatmentRecord

Mask = npt.NDArray[np.bool_]

_SAID = {
    "not_due": "Predictions that are too recent, whose outcomes may still arrive",
    "censored": "Predictions of customers last seen before the horizon, left out",
    "without_outcome": "Predictions that are due and have no outcome, left out",
    "predictions_from_future": "Predictions later than now; check that computer's clock",
    "unknown": "Outcomes of no prediction in the ledger, left out",
    "before_prediction": "Outcomes observed before the prediction that they name, left out",
    "outcomes_from_future": "Outcomes later than now, left out; check that computer's clock",
    "clock_skew": "Outcomes up to five minutes older than their prediction, counted as after it",
    "repeated": "Predictions with the same outcome more than once, which counts once",
    "contradicting": "Predictions with outcomes that contradict each other; the last recorded counts",
}


class OutcomeTiming(FrozenSettings):
    """When an outcome can be measured.

    Attributes:
        horizon_days: within how many days after the prediction who leaves counts as having left.
        delay_days: how much later an outcome may still be recorded.
    """

    horizon_days: int = Field(default=30, ge=0, le=3650)
    delay_days: int = Field(default=0, ge=0, le=3650)


class OutcomeSettings(OutcomeTiming):
    """Which predictions are measured by their outcomes.

    Attributes:
        days: of the predictions that are due, the last so many days.
    """

    delay_days: int = Field(default=7, ge=0, le=3650)
    days: int = Field(default=90, ge=1, le=3650)

    def due_before(self, now: datetime) -> datetime:
        """The first moment, a midnight in UTC, whose predictions are not due."""
        return _day(now) - timedelta(self.horizon_days + self.delay_days - 1)


class OutcomeCounts(FrozenModel):
    """What became of the predictions of a window, and what is wrong with outcomes.

    Attributes:
        predictions: of the window; the next five add up to them.
        measured: with an outcome that counts.
        not_due: too recent.
        censored: seen as a customer for the last time before the horizon.
        without_outcome: due, and nothing is known.
        predictions_from_future: later than now.
        unknown: outcomes of no prediction in the ledger.
        before_prediction: outcomes observed before the prediction they name.
        outcomes_from_future: outcomes later than now.
        clock_skew: outcomes at most five minutes before their prediction, which count.
        repeated: predictions of the window with the same outcome more than once.
        contradicting: predictions of the window with outcomes that contradict each other.
    """

    predictions: int = Field(ge=0)
    measured: int = 0
    not_due: int = 0
    censored: int = 0
    without_outcome: int = 0
    predictions_from_future: int = 0
    unknown: int = 0
    before_prediction: int = 0
    outcomes_from_future: int = 0
    clock_skew: int = 0
    repeated: int = 0
    contradicting: int = 0

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a reader of the figures has to know, a sentence each."""
        found = ((getattr(self, name), words) for name, words in _SAID.items())
        return tuple(f"{words}: {count:,}." for count, words in found if count)


@dataclass(frozen=True, eq=False)
class SettledOutcomes:
    """The predictions that can be measured.

    Attributes:
        predictions: n of them, in the order they were given.
        target: int8[n], 1 where the customer left within the horizon.
        treated: bool[n], contacted by a campaign within the horizon.
        holdout: bool[n], left out of every campaign by chance.
        counts: of these and of all others.
    """

    predictions: tuple[Prediction, ...]
    target: npt.NDArray[np.int8]
    treated: Mask
    holdout: Mask
    counts: OutcomeCounts

    @property
    def score(self) -> npt.NDArray[np.float64]:
        """The probabilities that were given, float64[n]."""
        return np.array([one.probability for one in self.predictions], dtype=np.float64)

    def where(self, kept: Mask) -> SettledOutcomes:
        """Some of them, by a mask; the counts stay."""
        return SettledOutcomes(
            tuple(one for one, keep in zip(self.predictions, kept, strict=True) if keep),
            self.target[kept],
            self.treated[kept],
            self.holdout[kept],
            self.counts,
        )

    def first_of_each_customer(self) -> SettledOutcomes:
        """One prediction a customer, the first: a customer scored every week is one customer."""
        seen: set[str] = set()
        kept = np.zeros(len(self.predictions), dtype=np.bool_)
        order = sorted(range(len(kept)), key=lambda place: self.predictions[place].predicted_at)
        for place in order:
            customer = self.predictions[place].customer
            kept[place] = customer is None or customer not in seen
            seen.add(customer or "")
        return self.where(kept)


def settle(
    predictions: Sequence[Prediction],
    outcomes: Iterable[Outcome],
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    timing: OutcomeTiming,
    treatments: Iterable[TreatmentRecord] = (),
    ours: Callable[[Prediction], bool] = lambda _: True,
) -> SettledOutcomes:
    """Gives each prediction its outcome, and says who was treated.

    Args:
        predictions: all that outcomes may belong to.
        outcomes: in the order they were recorded.
        since: first moment of the predictions that are measured.
        until: the first moment that no longer counts.
        now: what is later is an error of a clock.
        timing: horizon and delay.
        treatments: what campaigns did, in the order it was recorded.
        ours: which predictions are measured; the others are there for outcomes that belong to them.
    """
    matched, counted = _match(predictions, outcomes, now)
    kept, target = [], []
    for place, one in enumerate(predictions):
        if not since <= one.predicted_at < until or not ours(one):
            continue
        counted["predictions"] += 1
        labels = [_label(one, each, timing) for each in matched[place]]
        state = _state(one, labels, now, timing)
        counted[state] += 1
        if state != "measured":
            continue
        known = [each for each in labels if each is not None]
        counted["contradicting"] += len(set(known)) > 1
        counted["repeated"] += len(set(known)) < len(known)
        kept.append(one)
        target.append(known[-1])
    treated, holdout = match_treatments(kept, treatments, timing.horizon_days)
    return SettledOutcomes(
        predictions=tuple(kept),
        target=np.array(target, dtype=np.int8),
        treated=treated,
        holdout=holdout,
        counts=OutcomeCounts(**{"predictions": 0, **counted}),
    )


def _match(
    predictions: Sequence[Prediction], outcomes: Iterable[Outcome], now: datetime
) -> tuple[dict[int, list[Outcome]], Counter[str]]:
    """Each prediction's outcomes, by its place; by its id where any names it, else by its customer."""
    by_id: defaultdict[str, list[int]] = defaultdict(list)
    by_customer: defaultdict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(predictions):
        by_id[one.prediction_id].append(place)
        if one.customer is not None:
            by_customer[one.customer].append(place)
    named: defaultdict[int, list[Outcome]] = defaultdict(list)
    others: defaultdict[int, list[Outcome]] = defaultdict(list)
    counted: Counter[str] = Counter()
    for outcome in outcomes:
        of_id = by_id.get(outcome.prediction_id or "", [])
        of_customer = by_customer.get(outcome.customer or "", [])
        if outcome.observed_at > now + CLOCKS_DIFFER:
            counted["outcomes_from_future"] += 1
        elif not of_id and (outcome.prediction_id is not None or not of_customer):
            counted["unknown"] += 1
        else:
            places = _not_before(predictions, of_id or of_customer, outcome)
            counted["before_prediction"] += not places
            counted["clock_skew"] += any(
                outcome.observed_at < predictions[place].predicted_at for place in places
            )
            for place in places:
                (named if of_id else others)[place].append(outcome)
    return defaultdict(list, {**others, **named}), counted


def _not_before(
    predictions: Sequence[Prediction], places: Sequence[int], outcome: Outcome
) -> list[int]:
    latest = outcome.observed_at + CLOCKS_DIFFER
    return [place for place in places if predictions[place].predicted_at <= latest]


def _label(one: Prediction, outcome: Outcome, timing: OutcomeTiming) -> int | None:
    """Whether the customer left within the horizon; None for one last seen before its end."""
    days = (_day(outcome.observed_at) - _day(one.predicted_at)).days
    if outcome.churned:
        return int(days <= timing.horizon_days)
    return 0 if days >= timing.horizon_days else None


def _state(
    one: Prediction, labels: Sequence[int | None], now: datetime, timing: OutcomeTiming
) -> str:
    if one.predicted_at > now + CLOCKS_DIFFER:
        return "predictions_from_future"
    if (_day(now) - _day(one.predicted_at)).days < timing.horizon_days + timing.delay_days:
        return "not_due"
    if not labels:
        return "without_outcome"
    return "censored" if all(each is None for each in labels) else "measured"


def _day(moment: datetime) -> datetime:
    """The day in UTC: outcomes are known by the day, predictions by the microsecond."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
