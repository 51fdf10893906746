"""The call list: who is offered what, best first, and everybody else with the reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from churn.campaign.campaign_plan import CampaignPlan
from churn.campaign.scored_customers import ScoredCustomers
from churn.retention.value import RemainingMargin

EXPORTED = (
    *("rank", "customer_id", "risk", "risk_band", "value", "value_lower", "value_upper", "cohort"),
    *("reasons", "action", "offer", "channel", "owner", "expected_profit", "profit_lower"),
    *("profit_upper", "expected_cost", "why", "model_supports", "listed_on"),
)
"""Columns of a call list that is exported: with its day."""
_CENTS = 2


@dataclass(frozen=True, eq=False)
class CampaignLists:
    """The lists of a campaign, pyarrow tables.

    Attributes:
        called: who is offered what, best first.
        others: everybody else, and why not.
    """

    called: pa.Table
    others: pa.Table


def call_list(
    scored: ScoredCustomers,
    margin: RemainingMargin,
    plan: CampaignPlan,
    cohorts: NDArray[np.str_],
    supported: Sequence[str],
) -> pa.Table:
    """Who is offered what, the highest expected profit first.

    Args:
        scored: n customers.
        margin: what each is expected still to bring.
        plan: the decision.
        cohorts: str[n].
        supported: in words, for each contacted customer in the table's order, what the model supports.
    """
    called = np.flatnonzero(plan.called)
    order = np.argsort(-plan.profit[called], kind="stable")
    rows = called[order]
    offers = list(plan.playbook.offers.values())
    made = [offers[place] for place in plan.chosen[rows].tolist()]
    described = _described(scored, margin, cohorts, rows)
    return pa.table(
        {
            "rank": np.arange(1, len(rows) + 1),
            **described,
            "action": plan.actions[rows].tolist(),
            "offer": [offer.title for offer in made],
            "channel": [plan.playbook.channels[offer.channel].title for offer in made],
            "owner": [offer.owner for offer in made],
            "expected_profit": np.round(plan.profit[rows], _CENTS),
            "profit_lower": np.round(plan.lower[rows], _CENTS),
            "profit_upper": np.round(plan.upper[rows], _CENTS),
            "expected_cost": np.round(plan.cost[rows], _CENTS),
            "why": plan.why["why"].take(pa.array(rows)),
            "model_supports": [supported[place] for place in order.tolist()],
        }
    )


def not_called(
    scored: ScoredCustomers,
    margin: RemainingMargin,
    plan: CampaignPlan,
    cohorts: NDArray[np.str_],
) -> pa.Table:
    """Everybody else, the highest expected loss first, and why they are not contacted."""
    others = np.flatnonzero(~plan.called)
    lost = scored.risk[others] * margin.expected[others]
    rows = others[np.argsort(-lost, kind="stable")]
    return pa.table(
        {
            **_described(scored, margin, cohorts, rows),
            "holdout": plan.holdout[rows],
            "why": plan.why["why"].take(pa.array(rows)),
        }
    )


def _described(
    scored: ScoredCustomers,
    margin: RemainingMargin,
    cohorts: NDArray[np.str_],
    rows: NDArray[np.int64],
) -> dict[str, object]:
    some, (lower, upper) = scored.texts.take(pa.array(rows)), margin.interval
    return {
        "customer_id": some["customer_id"],
        "risk": np.round(scored.risk[rows], 4),
        "risk_band": some["risk_band"],
        "value": np.round(margin.expected[rows], _CENTS),
        "value_lower": np.round(lower[rows], _CENTS),
        "value_upper": np.round(upper[rows], _CENTS),
        "cohort": cohorts[rows].tolist(),
        "reasons": some["reasons"],
    }
