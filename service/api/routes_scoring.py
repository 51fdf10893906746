"""Routes about customers."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response

from service.api import response_schemas
from service.api.asgi_call import read_body
from service.api.batch_body import NDJSON
from service.api.batch_csv import CSV
from service.api.batch_scoring import score_batch
from service.api.explanation import ExplainOptions, explain_customer
from service.api.json_response import JsonResponse
from service.api.openapi_descriptions import (
    ANY_ROW,
    CUSTOMER,
    problem_responses,
    request_body,
    text_response,
)
from service.api.outcomes import OUTCOME, TREATMENT, RecordKind, record_later, require_writer
from service.api.request_body import parse_json
from service.api.request_path import BATCH, EXPLAIN, OUTCOMES, SCORE, TREATMENTS
from service.api.score_options import ScoreOptions, describe_options, parse_options
from service.api.worker_state import WorkerState


def add_scoring_routes(app: FastAPI, state: WorkerState) -> None:
    """Adds /v1/score, /v1/score/batch, /v1/explain, /v1/outcomes and /v1/treatments."""
    _add_score(app, state)
    _add_explain(app, state)
    _add_recording(app, state, OUTCOMES, OUTCOME, "What happened to customers later")
    _add_recording(app, state, TREATMENTS, TREATMENT, "Which customers campaigns contacted")


def _add_score(app: FastAPI, state: WorkerState) -> None:
    @app.post(
        SCORE,
        tags=["scoring"],
        summary="One customer's risk of leaving",
        response_model=response_schemas.Score,
        responses=problem_responses(400, 401, 413, 422, 503),
        openapi_extra=request_body(CUSTOMER) | describe_options(ScoreOptions),
    )
    async def score(request: Request) -> Response:
        row = await _read_row(
            request, state, parse_options(request.scope["query_string"], ScoreOptions)
        )
        answer = state.score_customer(row, "api", request.scope["state"]["own_id"])
        return JsonResponse(answer)

    @app.post(
        BATCH,
        tags=["scoring"],
        summary="Many customers; an error in one row spoils no other",
        response_model=list[response_schemas.BatchRow],
        responses=text_response(NDJSON, CSV) | problem_responses(400, 401, 413, 422, 503),
        openapi_extra=request_body({"type": "array", "items": ANY_ROW}, NDJSON, CSV)
        | describe_options(ScoreOptions),
    )
    async def batch(request: Request) -> Response:
        options = parse_options(request.scope["query_string"], ScoreOptions)
        return await score_batch(state, request, options)


async def _read_row(request: Request, state: WorkerState, options: ScoreOptions) -> Any:
    row = parse_json(await read_body(request))
    return options.without_ignored(row, state.pool.production.contract)


def _add_explain(app: FastAPI, state: WorkerState) -> None:
    @app.post(
        EXPLAIN,
        tags=["scoring"],
        summary="One customer's risk, the reasons for it, and what would lower it",
        response_model=response_schemas.Explanation,
        responses=problem_responses(400, 401, 413, 422, 503),
        openapi_extra=request_body(CUSTOMER) | describe_options(ExplainOptions),
    )
    async def explanation(request: Request) -> Response:
        options = parse_options(request.scope["query_string"], ExplainOptions)
        row = await _read_row(request, state, options)
        own_id = request.scope["state"]["own_id"]
        return JsonResponse(await explain_customer(state, row, own_id, options))


def _add_recording(
    app: FastAPI, state: WorkerState, path: str, kind: RecordKind, summary: str
) -> None:
    several = {"oneOf": [kind.schema, {"type": "array", "items": kind.schema}]}

    @app.post(
        path,
        tags=["outcomes"],
        summary=summary,
        status_code=201,
        response_model=response_schemas.RecordedOutcomes,
        responses=problem_responses(400, 401, 413, 422, 503),
        openapi_extra=request_body(several),
    )
    async def record(request: Request) -> Response:
        writer = require_writer(state)
        recorded = await record_later(kind, state, writer, await read_body(request))
        return JsonResponse({"recorded": recorded}, 201)
