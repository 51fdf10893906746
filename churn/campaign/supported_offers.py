"""The offer whose change the model itself associates with the lowest risk, beside the one that earns most."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from churn.campaign.scored_customers import ScoredCustomers
from churn.explain.counterfactuals import Counterfactual, CounterfactualSearch
from churn.features.encoding import take
from churn.retention.offer_profit import eligible
from churn.retention.playbook import Playbook
from churn.scoring.fields import FieldError
from churn.scoring.scorer import Scorer

_ALL = 1000
_Open = dict[tuple[str, str], list[tuple[str, NDArray[np.bool_]]]]
"""A change of one column -> the offers that propose it, and who is eligible for each, bool[n]."""


def supported_offers(
    scored: ScoredCustomers, scorer: Scorer, playbook: Playbook, rows: NDArray[np.int64]
) -> list[str]:
    """For some customers, in words: the offer of lowest risk by the model, and how far the risk falls.

    Only offers that propose a change of one column, and that the customer is eligible for, are
    looked at; empty where the model sees no fall, or the customer's columns contradict each other.
    It is an association, not an effect.
    """
    single: _Open = defaultdict(list)
    for name, offer in playbook.offers.items():
        if len(offer.proposes) == 1:
            (change,) = offer.proposes.items()
            single[change].append((name, eligible(offer, scored.contract, scored.columns)))
    if not single:
        return [""] * len(rows)
    search = CounterfactualSearch(scorer.row_scorer)
    some = scorer.row_scorer.table_values(take(scored.columns, rows))
    found = []
    for row, values in zip(rows.tolist(), some, strict=True):
        logit = scorer.row_scorer.logit(values)
        try:
            possible = search.customer(values, logit, most=_ALL, most_changes=1).found
        except FieldError:
            possible = ()
        found.append(_best(row, possible, single))
    return found


def _best(row: int, possible: tuple[Counterfactual, ...], single: _Open) -> str:
    for each in sorted(possible, key=lambda one: one.risk):
        (change,) = [one for one in each.changes if not one.follows]
        for name, open_to in single.get((change.column, change.after), ()):
            if open_to[row]:
                return f"{name}: {each.sentence}"
    return ""
