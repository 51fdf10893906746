"""What staying with a champion loses, measured on a labelled snapshot of the customers that it serves."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from churn.features.encoding import Columns, Floats, take
from churn.models.candidate import Candidate, Target
from churn.monitoring.staleness import StaleMonth, measure_stale_month
from churn.retention.profit import break_even
from churn.retention.value_settings import ValueSettings

_FOLDS, _SEED = 2, 7


def measure_stale_snapshot(
    columns: Columns,
    target: Target,
    contacts: NDArray[np.bool_],
    candidate: Candidate,
    *,
    clv: Floats,
    value: ValueSettings,
    until: datetime,
) -> StaleMonth:
    """What the champion lost on these customers against a model trained on others of them.

    Args:
        columns: n customers.
        target: who left.
        contacts: bool[n], who the champion's campaign contacts.
        candidate: what is trained, twice, on a half each; a cheap recipe shows most of the loss.
        clv: float64[n], what each customer is worth if kept.
        value: the assumptions about money.
        until: the end of the month that the outcomes are of.

    Raises:
        ValueError: fewer than two customers of an outcome.
    """
    chance = np.zeros(len(target))
    halves = StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED)
    for seen, unseen in halves.split(target, target):
        fit = candidate.fit(take(columns, seen), target[seen])
        chance[unseen] = 1 / (1 + np.exp(-fit.logit(take(columns, unseen))))
    newly_trained = chance >= break_even(float(clv.mean()), value)
    return measure_stale_month(target, contacts, newly_trained, clv, value, until=until)
