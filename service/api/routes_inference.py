"""Routes of the Open Inference Protocol (V2), for clients of Seldon, KServe and Triton."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response

from service.api import open_inference, response_schemas
from service.api.openapi_descriptions import encode, not_ready, problem_responses, request_body
from service.api.request_body import parse_json, read_request_body
from service.api.worker_state import WorkerState

_JSON = "application/json"
_TAGS: list[Any] = ["Open Inference Protocol"]
_MODEL = f"/v2/models/{open_inference.NAME}"


def add_inference_routes(app: FastAPI, state: WorkerState) -> None:
    """Adds /v2/health, /v2/models/churn and its infer."""
    _add_health(app, state)

    @app.get(
        _MODEL,
        tags=_TAGS,
        summary="The model's tensors",
        response_model=response_schemas.ModelMetadata,
        responses=problem_responses(401, 503),
    )
    async def model() -> Response:
        return Response(encode(open_inference.model_metadata(state)), media_type=_JSON)

    @app.post(
        f"{_MODEL}/infer",
        tags=_TAGS,
        summary="Customers as tensors",
        response_model=response_schemas.Inference,
        responses=problem_responses(400, 401, 413, 422, 503),
        openapi_extra=request_body(open_inference.SCHEMA),
    )
    async def infer(request: Request) -> Response:
        content = parse_json(await read_request_body(request, state.settings.max_batch_bytes))
        request_id = request.scope["state"]["request_id"]
        return Response(encode(open_inference.infer(state, content, request_id)), media_type=_JSON)


def _add_health(app: FastAPI, state: WorkerState) -> None:
    @app.get("/v2/health/live", tags=_TAGS, summary="Whether the process runs")
    async def live() -> response_schemas.ServerLive:
        return response_schemas.ServerLive()

    @app.get(
        "/v2/health/ready",
        tags=_TAGS,
        summary="Whether this worker should get requests",
        response_model=response_schemas.ServerReady,
        responses=not_ready(response_schemas.ServerReady),
    )
    async def ready() -> Response:
        return _ready(state)

    @app.get(
        f"{_MODEL}/ready",
        tags=_TAGS,
        summary="Whether the model can answer",
        response_model=response_schemas.ServerReady,
        responses=problem_responses(401) | not_ready(response_schemas.ServerReady),
    )
    async def model_ready() -> Response:
        return _ready(state)


def _ready(state: WorkerState) -> Response:
    reasons = state.unready_reasons()
    return Response(encode({"ready": not reasons}), 503 if reasons else 200, media_type=_JSON)
