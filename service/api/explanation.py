"""POST /v1/explain: a score, its reasons in words, and what would have to be otherwise."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from scipy.special import expit

from churn.errors import InputError
from churn.explain.reasons import TOP
from churn.scoring import Score
from churn.scoring.encoder import Values
from service.api.problems import ProblemError
from service.api.worker_state import WorkerState
from service.core.loaded_model import LoadedModel

CHANGES = 1
"""Of pairs there are three times as many, each scored; whoever wants them asks."""
_NAMED = re.compile(r"'([^']+)'")


class Asked(msgspec.Struct, frozen=True):
    """What a request for an explanation asks for.

    Attributes:
        top: how many reasons at most.
        counterfactuals: whether ways to less risk are told.
        changes: how many at once a way may take.
        below: probability that they are to get below; None for the farthest falls.
    """

    top: Annotated[int, msgspec.Meta(ge=1, le=20)] = TOP
    counterfactuals: bool = True
    changes: Annotated[int, msgspec.Meta(ge=1, le=2)] = CHANGES
    below: Annotated[float, msgspec.Meta(gt=0, lt=1)] | None = None


_EVERYTHING = Asked()


def parse_explain_options(query: bytes) -> Asked:
    """The parameters of a request; of one that comes twice, the last.

    Raises:
        ProblemError: one of them is not what it must be.
    """
    if not query:
        return _EVERYTHING
    given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    try:
        return msgspec.convert(given, Asked, strict=False)
    except msgspec.ValidationError as error:
        reason, _, field = str(error).partition(" - at `$.")
        field = field.rstrip("`")
        raise ProblemError(422, f"Parameter '{field}': {reason}.", field=field) from None


async def told(state: WorkerState, row: Any, asked: Asked) -> dict[str, Any]:
    """The answer.

    Args:
        state: who answers.
        row: the customer, in raw values.
        asked: what for.

    Raises:
        FieldError, ProblemError: the customer is not what the contract allows.
    """
    served, prediction_id = state.choose_model(row)
    scorer = served.scorer
    values = scorer.values(row)
    score = scorer.score_values(values)
    told_ways = None
    if asked.counterfactuals:
        # A model without a row form takes milliseconds, and so not on the thread that answers all.
        told_ways = (
            _ways(served, values, score, asked)
            if scorer.bitwise
            else await asyncio.to_thread(_ways, served, values, score, asked)
        )
    answer = state.answer(row, served, prediction_id, values, score, "explain")
    contributions = scorer.row_scorer.contributions(values)
    reasons = served.reason_codes.customer(values, contributions, asked.top)
    return {
        "prediction_id": prediction_id,
        "probability": answer.probability,
        "decision": answer.decision,
        "risk_band": answer.risk_band,
        "model_version": answer.model_version,
        "base_probability": float(expit(scorer.base)),
        "reasons": [reason.model_dump() for reason in reasons.reasons],
        "withheld": reasons.withheld,
        "exact": scorer.contributions_are_exact,
        "counterfactuals": told_ways,
    }


def _ways(served: LoadedModel, values: Values, score: Score, asked: Asked) -> dict[str, Any]:
    try:
        found = served.counterfactuals.customer(
            values, score.logit, asked.below, reach=asked.changes
        )
    except InputError as error:
        # Each field is allowed, but not these two together; a score is given all the same.
        named = _NAMED.search(str(error))
        raise ProblemError(
            422, f"{error} Or ask with counterfactuals=false.", field=named[1] if named else ""
        ) from None
    return found.model_dump(exclude={"risk"})
