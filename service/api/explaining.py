"""POST /v1/explain: a score, its reasons in words, and what would have to be otherwise."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import numpy as np
from scipy.special import expit

from churn.explain.counterfactual import counterfactuals
from churn.explain.grouping import Contributions
from churn.features.encoding import Columns
from service.api.desk import Desk
from service.api.served import Served


async def explain(
    desk: Desk, row: Any, *, top: int, ways: bool, below: float | None
) -> dict[str, Any]:
    """The answer.

    Args:
        desk: who answers.
        row: the customer, in raw values.
        top: how many reasons at most.
        ways: whether counterfactuals are asked for.
        below: probability that they are to get below; None for the farthest falls.

    Raises:
        FieldError, Refusal: the customer is not what the contract allows.
    """
    served, prediction_id = desk.who_answers(row)
    scorer = served.scorer
    explanation = scorer.explain(row)
    columns = scorer.columns([row])
    answer = desk.answer(row, served, prediction_id, explanation.score, "explain")
    reasons = served.reasons
    # The bits of `contributions`, from the trees' way for a single row.
    by_feature = np.array([list(explanation.contributions.values())])
    parts = Contributions(scorer.base, reasons.grouping.columns, reasons.grouping(by_feature))
    told = reasons.told(parts, columns, top)
    return {
        **msgspec.structs.asdict(answer),
        "base_probability": float(expit(scorer.base)),
        "reasons": [reason.model_dump(mode="json") for reason in told.of(0)],
        "withheld": float(told.withheld[0]),
        "exact": scorer.contributions_are_exact,
        # Milliseconds, and so not on the thread that answers everybody else.
        "counterfactuals": await asyncio.to_thread(_ways, served, columns, below) if ways else None,
    }


def _ways(served: Served, columns: Columns, below: float | None) -> dict[str, Any]:
    found = counterfactuals(served.scorer.model, columns, served.contract, threshold=below)
    # The changed rows stay here: they repeat what the caller sent.
    content = found.model_dump(mode="json", exclude={"risk": True, "found": {"__all__": {"row"}}})
    return content
