"""POST /v1/explain: a score, its reasons in words, and what would lower the risk."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from scipy.special import expit

from churn.explain.reasons import TOP
from churn.scoring import FieldError, Score
from churn.scoring.encoder import Values
from service.api.problems import ProblemError
from service.api.score_options import ScoreOptions
from service.api.worker_state import WorkerState
from service.core.loaded_model import LoadedModel

CHANGES = 1
"""Changes at once; there are three times as many pairs, each scored, so pairs must be requested."""


class ExplainOptions(ScoreOptions, frozen=True):
    """Parameters of a request for an explanation."""

    top: Annotated[int, msgspec.Meta(ge=1, le=20, description="Reasons at most")] = TOP
    counterfactuals: Annotated[
        bool, msgspec.Meta(description="Whether to say what would lower the risk")
    ] = True
    changes: Annotated[
        int,
        msgspec.Meta(ge=1, le=2, description="How many changes at once a counterfactual may have"),
    ] = CHANGES
    below: (
        Annotated[
            float,
            msgspec.Meta(
                gt=0, lt=1, description="Probability that the counterfactuals are to get below"
            ),
        ]
        | None
    ) = None


async def explain_customer(
    state: WorkerState, row: Any, prediction_id: str, options: ExplainOptions
) -> dict[str, Any]:
    """Returns the answer of POST /v1/explain.

    Raises:
        FieldError, ProblemError: the contract does not allow the customer.
    """
    model = state.choose_model(row, prediction_id)
    scorer = model.scorer
    values = scorer.values(row)
    score = scorer.score_values(values)
    counterfactuals = None
    if options.counterfactuals:
        # A model without a row form takes milliseconds, so it must not hold up the event loop.
        counterfactuals = (
            _counterfactuals(model, values, score, options)
            if scorer.bitwise
            else await asyncio.to_thread(_counterfactuals, model, values, score, options)
        )
    answer = state.record_score(row, model, prediction_id, values, score, "explain")
    contributions = scorer.row_scorer.contributions(values)
    reasons = model.reason_codes.customer(values, contributions, options.top)
    return {
        **msgspec.structs.asdict(answer),
        "base_probability": float(expit(scorer.base)),
        "reasons": reasons.reasons,
        "withheld": reasons.withheld,
        "exact": scorer.model.exact,
        "counterfactuals": counterfactuals,
    }


def _counterfactuals(
    model: LoadedModel, values: Values, score: Score, options: ExplainOptions
) -> dict[str, Any]:
    try:
        counterfactuals = model.counterfactuals.customer(
            values, score.logit, options.below, most_changes=options.changes
        )
    except FieldError as error:
        # Each field is allowed, but not these two together; a score is given all the same.
        raise ProblemError(
            422, f"{error} Or ask with counterfactuals=false.", field=error.field
        ) from None
    return {
        "sentence": counterfactuals.sentence,
        "threshold": counterfactuals.threshold,
        "reached": counterfactuals.reached,
        "found": counterfactuals.found,
        "caveat": counterfactuals.caveat,
    }
