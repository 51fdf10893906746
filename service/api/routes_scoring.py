"""Routes about customers."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import FastAPI, Query, Request, Response

from churn.explain.reasons import TOP
from service.api import response_schemas
from service.api.batch_scoring import NDJSON, score_batch
from service.api.explanation import CHANGES
from service.api.fast_path.raw_response import EXPLAIN, SCORE
from service.api.openapi_descriptions import (
    CUSTOMER,
    problem_responses,
    request_body,
    text_response,
)
from service.api.outcomes import OUTCOME, record_outcomes, require_writer
from service.api.request_body import read_request_body
from service.api.score_options import ScoreOptions
from service.api.worker_state import WorkerState

_COUNTERFACTUALS = "Whether to say what would lower the risk"
_CHANGES = "How many changes at once a counterfactual may have"
_BELOW = "Probability that the counterfactuals are to get below"
_Ignore = Annotated[
    Literal["target"] | None,
    Query(description="'target': the column that is predicted may stand in a row, and is not read"),
]
_FOR_SCHEMA = "Here for the schema: `ChurnService` calls the route of `plain_asgi_routes` instead."


def add_scoring_routes(app: FastAPI, state: WorkerState) -> None:
    """Adds /v1/score, /v1/score/batch, /v1/explain and /v1/outcomes."""
    _add_score(app, state)
    _add_explain(app)
    _add_outcomes(app, state)


def _add_score(app: FastAPI, state: WorkerState) -> None:
    @app.post(
        SCORE,
        tags=["scoring"],
        summary="One customer's risk of leaving",
        response_model=response_schemas.Score,
        responses=problem_responses(400, 401, 413, 422, 503),
        openapi_extra=request_body(CUSTOMER),
    )
    async def score(ignore: _Ignore = None) -> None:
        raise NotImplementedError(_FOR_SCHEMA)

    @app.post(
        f"{SCORE}/batch",
        tags=["scoring"],
        summary="Many customers; an error in one row spoils no other",
        response_model=list[response_schemas.BatchRow],
        responses=text_response(NDJSON) | problem_responses(400, 401, 413, 422, 503),
        openapi_extra=request_body({"type": "array", "items": CUSTOMER}, ndjson=True),
    )
    async def batch(request: Request, ignore: _Ignore = None) -> Response:
        return await score_batch(state, request, ScoreOptions(ignore))


def _add_explain(app: FastAPI) -> None:
    @app.post(
        EXPLAIN,
        tags=["scoring"],
        summary="One customer's risk, the reasons for it, and what would lower it",
        response_model=response_schemas.Explanation,
        responses=problem_responses(400, 401, 413, 422, 503),
        openapi_extra=request_body(CUSTOMER),
    )
    async def explanation(
        top: Annotated[int, Query(ge=1, le=20, description="Reasons at most")] = TOP,
        counterfactuals: Annotated[bool, Query(description=_COUNTERFACTUALS)] = True,
        changes: Annotated[int, Query(ge=1, le=2, description=_CHANGES)] = CHANGES,
        below: Annotated[float | None, Query(gt=0, lt=1, description=_BELOW)] = None,
        ignore: _Ignore = None,
    ) -> None:
        raise NotImplementedError(_FOR_SCHEMA)


def _add_outcomes(app: FastAPI, state: WorkerState) -> None:
    several = {"oneOf": [OUTCOME, {"type": "array", "items": OUTCOME}]}

    @app.post(
        "/v1/outcomes",
        tags=["outcomes"],
        summary="What happened to customers later",
        status_code=201,
        responses=problem_responses(400, 401, 413, 422, 503),
        openapi_extra=request_body(several),
    )
    async def record(request: Request) -> response_schemas.RecordedOutcomes:
        writer = require_writer(state)
        body = await read_request_body(request, state.settings.max_batch_bytes)
        recorded = await record_outcomes(state, writer, body)
        return response_schemas.RecordedOutcomes(recorded=recorded)
