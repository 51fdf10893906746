"""Routes about customers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response

from churn.explain.reasons import TOP
from service.api import outcomes, response_schemas
from service.api.batch_scoring import NDJSON, score_batch
from service.api.explanation import CHANGES
from service.api.fast_path import plain_asgi_routes
from service.api.fast_path.raw_response import EXPLAIN, SCORE
from service.api.openapi_descriptions import CUSTOMER, problem_responses, request_body
from service.api.request_body import parse_json, read_request_body
from service.api.worker_state import WorkerState

_COUNTERFACTUALS = "Whether to say what would lower the risk"
_CHANGES = "How many changes at once a counterfactual may have"
_BELOW = "Probability that the counterfactuals are to get below"


class _PlainAsgiResponse(Response):
    """Hands the connection to a plain ASGI route."""

    def __init__(self, state: WorkerState, route: plain_asgi_routes.AsgiRoute) -> None:
        super().__init__()
        self._state, self._route = state, route

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._route(self._state, scope, receive, send)


def add_scoring_routes(app: FastAPI, state: WorkerState) -> None:
    """Adds /v1/score, /v1/score/batch, /v1/explain and /v1/outcomes."""
    _add_score(app, state)
    _add_explain(app, state)
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
    async def score(_request: Request) -> Response:
        return _PlainAsgiResponse(state, plain_asgi_routes.score)

    lines: dict[int | str, dict[str, Any]] = {
        200: {"content": {NDJSON: {"schema": {"type": "string"}}}}
    }

    @app.post(
        f"{SCORE}/batch",
        tags=["scoring"],
        summary="Many customers; an error in one row spoils no other",
        response_model=list[response_schemas.BatchRow],
        responses=lines | problem_responses(400, 401, 413, 422, 503),
        openapi_extra=request_body({"type": "array", "items": CUSTOMER}, ndjson=True),
    )
    async def batch(request: Request) -> Response:
        return await score_batch(state, request)


def _add_explain(app: FastAPI, state: WorkerState) -> None:
    @app.post(
        EXPLAIN,
        tags=["scoring"],
        summary="One customer's risk, the reasons for it, and what would lower it",
        response_model=response_schemas.Explanation,
        responses=problem_responses(400, 401, 413, 422, 503),
        openapi_extra=request_body(CUSTOMER),
    )
    async def explanation(  # the parameters are here for the schema; the plain route parses them
        _request: Request,
        top: Annotated[int, Query(ge=1, le=20, description="Reasons at most")] = TOP,  # noqa: ARG001
        counterfactuals: Annotated[bool, Query(description=_COUNTERFACTUALS)] = True,  # noqa: ARG001
        changes: Annotated[int, Query(ge=1, le=2, description=_CHANGES)] = CHANGES,  # noqa: ARG001
        below: Annotated[float | None, Query(gt=0, lt=1, description=_BELOW)] = None,  # noqa: ARG001
    ) -> Response:
        return _PlainAsgiResponse(state, plain_asgi_routes.explain)


def _add_outcomes(app: FastAPI, state: WorkerState) -> None:
    several = {"oneOf": [outcomes.SCHEMA, {"type": "array", "items": outcomes.SCHEMA}]}

    @app.post(
        "/v1/outcomes",
        tags=["outcomes"],
        summary="What happened to customers later",
        status_code=201,
        responses=problem_responses(400, 401, 413, 422, 503),
        openapi_extra=request_body(several),
    )
    async def record(request: Request) -> response_schemas.RecordedOutcomes:
        content = parse_json(await read_request_body(request, state.settings.max_batch_bytes))
        count = await outcomes.record_outcomes(state, content)
        return response_schemas.RecordedOutcomes(recorded=count)
