"""Routes of the Open Inference Protocol (V2), for clients of Seldon, KServe and Triton."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response

from service.api import open_inference, response_schemas
from service.api.asgi_call import read_body
from service.api.inference_tensors import JSON_LENGTH
from service.api.json_response import JSON, JsonResponse
from service.api.openapi_descriptions import not_ready, problem_responses, request_body
from service.api.worker_state import WorkerState

_BINARY = "application/octet-stream"
_TAGS: list[Any] = ["Open Inference Protocol"]
_MODEL = f"/v2/models/{open_inference.NAME}"
_VERSION = f"{_MODEL}/versions/{{version}}"


def add_inference_routes(app: FastAPI, state: WorkerState) -> None:
    """Adds /v2, /v2/health, /v2/models/churn, and the same of one version."""
    _add_server(app, state)
    _add_model(app, state, _MODEL)
    _add_model(app, state, _VERSION)


def _add_server(app: FastAPI, state: WorkerState) -> None:
    @app.get(
        "/v2",
        tags=_TAGS,
        summary="The server and its extensions",
        response_model=response_schemas.ServerMetadata,
        responses=problem_responses(401),
    )
    async def server(_request: Request) -> Response:
        name, extensions = open_inference.NAME, open_inference.EXTENSIONS
        content = {"name": name, "version": app.version, "extensions": extensions}
        return JsonResponse(content)

    @app.get(
        "/v2/health/live",
        tags=_TAGS,
        summary="Whether the process runs",
        response_model=response_schemas.ServerLive,
    )
    async def live(_request: Request) -> Response:
        return JsonResponse({"live": True})

    @app.get(
        "/v2/health/ready",
        tags=_TAGS,
        summary="Whether this worker should get requests",
        response_model=response_schemas.ServerReady,
        responses=not_ready(response_schemas.ServerReady),
    )
    async def ready(_request: Request) -> Response:
        return _ready(state)


def _add_model(app: FastAPI, state: WorkerState, path: str) -> None:
    """Adds the routes of the model; with a version in the path, of that version alone."""
    absent = (404,) if path == _VERSION else ()
    of_version = _version_parameter(state) if path == _VERSION else {}

    @app.get(
        path,
        tags=_TAGS,
        summary="The model's tensors",
        response_model=response_schemas.ModelMetadata,
        responses=problem_responses(401, *absent, 503),
        openapi_extra=of_version,
    )
    async def model(request: Request) -> Response:
        content = open_inference.model_metadata(state, request.path_params.get("version"))
        return JsonResponse(content)

    @app.get(
        f"{path}/ready",
        tags=_TAGS,
        summary="Whether the model can answer",
        response_model=response_schemas.ServerReady,
        responses=problem_responses(401, *absent) | not_ready(response_schemas.ServerReady),
        openapi_extra=of_version,
    )
    async def model_ready(request: Request) -> Response:
        if "version" in request.path_params:
            open_inference.find_model(state, request.path_params["version"])
        return _ready(state)

    _add_infer(app, state, path, absent, of_version)


def _add_infer(
    app: FastAPI, state: WorkerState, path: str, absent: tuple[int, ...], extra: dict[str, Any]
) -> None:
    binary = {"content": {_BINARY: {"schema": {"type": "string", "format": "binary"}}}}
    body = request_body(open_inference.SCHEMA)
    body["requestBody"]["content"] |= binary["content"]
    length = {"in": "header", "name": JSON_LENGTH, "schema": {"type": "integer", "minimum": 0}}
    length["description"] = "Bytes of the body that are JSON; raw tensors follow them"

    @app.post(
        f"{path}/infer",
        tags=_TAGS,
        summary="Customers as tensors",
        response_model=response_schemas.Inference,
        responses={200: binary, **problem_responses(400, 401, *absent, 413, 422, 503)},
        openapi_extra=body | {"parameters": [*extra.get("parameters", ()), length]},
    )
    async def infer(request: Request) -> Response:
        answer = await open_inference.infer(
            state,
            await read_body(request),
            request.headers.get(JSON_LENGTH),
            request.path_params.get("version"),
            request.scope["state"]["request_id"],
        )
        if answer.json_length == len(answer.body):
            return Response(answer.body, media_type=JSON)
        headers = {JSON_LENGTH: str(answer.json_length)}
        return Response(answer.body, headers=headers, media_type=_BINARY)


def _version_parameter(state: WorkerState) -> dict[str, Any]:
    schema = {"type": "string", "example": state.pool.production.version}
    return {"parameters": [{"in": "path", "name": "version", "required": True, "schema": schema}]}


def _ready(state: WorkerState) -> Response:
    reasons = state.unready_reasons()
    return JsonResponse({"ready": not reasons}, 503 if reasons else 200)
