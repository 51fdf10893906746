"""Whose outcome a campaign may have changed, and who was left out of it by chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from churn.ledger.prediction import Prediction, TreatmentRecord

CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much two computers' clocks may differ."""

Mask = npt.NDArray[np.bool_]


def match_treatments(
    predictions: Sequence[Prediction], treatments: Iterable[TreatmentRecord], horizon_days: int
) -> tuple[Mask, Mask]:
    """Who was treated, and who was in a holdout, bool[n] each; who was both counts as treated.

    A treatment belongs to the prediction that it names; where it names none, to every prediction of its
    customer whose horizon it falls into.
    """
    by_id: defaultdict[str, list[TreatmentRecord]] = defaultdict(list)
    by_customer: defaultdict[str, list[TreatmentRecord]] = defaultdict(list)
    for each in treatments:
        if each.prediction_id is not None:
            by_id[each.prediction_id].append(each)
        elif each.customer is not None:
            by_customer[each.customer].append(each)
    horizon = timedelta(horizon_days)
    treated = np.zeros(len(predictions), dtype=np.bool_)
    holdout = np.zeros(len(predictions), dtype=np.bool_)
    for place, one in enumerate(predictions):
        found = [*by_id.get(one.prediction_id, [])]
        found += [
            each
            for each in by_customer.get(one.customer or "", [])
            if -CLOCKS_DIFFER <= each.assigned_at - one.predicted_at <= horizon
        ]
        treated[place] = any(each.treated for each in found)
        holdout[place] = bool(found) and not treated[place]
    return treated, holdout
