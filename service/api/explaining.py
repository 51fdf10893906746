"""POST /v1/explain: a score, its reasons in words, and what would have to be otherwise."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import msgspec
import numpy as np
from scipy.special import expit

from churn.errors import InputError
from churn.explain.counterfactual import counterfactuals
from churn.explain.grouping import Contributions
from churn.features.encoding import Columns
from service.api.desk import Desk
from service.api.problems import Refusal
from service.api.served import Served

_NAMED = re.compile(r"'([^']+)'")


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
    # Milliseconds, and so not on the thread that answers everybody else.
    told_ways = await asyncio.to_thread(_ways, served, columns, below) if ways else None
    answer = desk.answer(
        row, served, prediction_id, scorer.values(row), explanation.score, "explain"
    )
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
        "counterfactuals": told_ways,
    }


def _ways(served: Served, columns: Columns, below: float | None) -> dict[str, Any]:
    try:
        found = counterfactuals(served.scorer.model, columns, served.contract, threshold=below)
    except InputError as error:
        # Each field is allowed, but not these two together; a score is given all the same.
        named = _NAMED.search(str(error))
        raise Refusal(
            422, f"{error} Or ask with counterfactuals=false.", field=named[1] if named else ""
        ) from None
    # The changed rows stay here: they repeat what the caller sent.
    content = found.model_dump(mode="json", exclude={"risk": True, "found": {"__all__": {"row"}}})
    return content
