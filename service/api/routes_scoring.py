"""Routes about customers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response

from churn.explain.reasons import TOP
from service.api import outcomes, response_schemas
from service.api.batch_scoring import NDJSON, score_batch
from service.api.explanation import CHANGES
from service.api.fast_path import plain_asgi_routes
from service.api.openapi_descriptions import CUSTOMER, body, encode, problems
from service.api.request_body import parse_json, read_request_body
from service.api.worker_state import WorkerState

_JSON = "application/json"
_WAYS = "Whether ways to less risk are told"
_CHANGES = "How many changes at once a way may take"
_BELOW = "Probability the ways are to get below"


class _Plain(Response):
    """Hands the connection to the plain ASGI endpoint."""

    def __init__(self, state: WorkerState, plain: plain_asgi_routes.Plain) -> None:
        super().__init__()
        self._desk, self._plain = state, plain

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._plain(self._desk, scope, receive, send)


def add_scoring_routes(app: FastAPI, state: WorkerState) -> None:
    """Adds /v1/score, /v1/score/batch, /v1/explain and /v1/outcomes."""

    @app.post(
        plain_asgi_routes.SCORE,
        tags=["scoring"],
        summary="One customer's risk of leaving",
        response_model=response_schemas.Score,
        responses=problems(400, 401, 413, 422, 503),
        openapi_extra=body(CUSTOMER),
    )
    async def score(_request: Request) -> Response:
        return _Plain(state, plain_asgi_routes.score)

    lines: dict[int | str, dict[str, Any]] = {
        200: {"content": {NDJSON: {"schema": {"type": "string"}}}}
    }

    @app.post(
        "/v1/score/batch",
        tags=["scoring"],
        summary="Many customers; a refused row spoils no other",
        response_model=list[response_schemas.BatchRow],
        responses=lines | problems(400, 401, 413, 422, 503),
        openapi_extra=body({"type": "array", "items": CUSTOMER}, ndjson=True),
    )
    async def batch(request: Request) -> Response:
        return await score_batch(state, request)

    @app.post(
        plain_asgi_routes.EXPLAIN,
        tags=["scoring"],
        summary="One customer's risk, the reasons for it, and what would lower it",
        response_model=response_schemas.ExplanationResponse,
        responses=problems(400, 401, 413, 422, 503),
        openapi_extra=body(CUSTOMER),
    )
    async def explanation(  # the parameters stand here for the schema; what answers reads them itself
        _request: Request,
        top: Annotated[int, Query(ge=1, le=20, description="Reasons at most")] = TOP,  # noqa: ARG001
        counterfactuals: Annotated[bool, Query(description=_WAYS)] = True,  # noqa: ARG001
        changes: Annotated[int, Query(ge=1, le=2, description=_CHANGES)] = CHANGES,  # noqa: ARG001
        below: Annotated[float | None, Query(gt=0, lt=1, description=_BELOW)] = None,  # noqa: ARG001
    ) -> Response:
        return _Plain(state, plain_asgi_routes.explain)

    several = {"oneOf": [outcomes.SCHEMA, {"type": "array", "items": outcomes.SCHEMA}]}

    @app.post(
        "/v1/outcomes",
        tags=["outcomes"],
        summary="What happened to customers later",
        status_code=201,
        response_model=response_schemas.Recorded,
        responses=problems(400, 401, 413, 422, 503),
        openapi_extra=body(several),
    )
    async def observed(request: Request) -> Response:
        content = parse_json(await read_request_body(request, state.settings.max_batch_bytes))
        count = await outcomes.record_outcomes(state, content)
        return Response(encode({"recorded": count}), 201, media_type=_JSON)
