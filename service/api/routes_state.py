"""Routes about the service itself: probes, metadata, metrics."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI, Request, Response

from service.api import response_schemas
from service.api.json_response import JsonResponse
from service.api.openapi_descriptions import not_ready, problem_responses, text_response
from service.api.worker_state import WorkerState
from service.core.metrics_page import CONTENT_TYPE, render_metrics


def add_state_routes(app: FastAPI, state: WorkerState) -> None:
    """Adds /livez, /readyz, /metadata and /metrics."""
    _add_probes(app, state)

    @app.get(
        "/metadata",
        tags=["state"],
        summary="What is served, how good it is, and where it comes from",
        response_model=response_schemas.ServedMetadata,
        responses=problem_responses(401, 503),
    )
    async def metadata(_request: Request) -> Response:
        content = state.pool.production.metadata() | {"versions": state.pool.roles()}
        return JsonResponse(content)

    @app.get(
        "/metrics",
        tags=["state"],
        summary="Metrics of all workers, for Prometheus",
        response_class=Response,
        responses=text_response("text/plain"),
    )
    async def metrics(_request: Request) -> Response:
        state.ledger_writer.update_gauges()
        page = await asyncio.to_thread(render_metrics, state.metrics_folder)
        return Response(page, media_type=CONTENT_TYPE)


def _add_probes(app: FastAPI, state: WorkerState) -> None:
    @app.get(
        "/livez",
        tags=["state"],
        summary="Whether the process runs",
        response_model=response_schemas.Liveness,
    )
    async def livez(_request: Request) -> Response:
        return JsonResponse({"status": "alive"})

    @app.get(
        "/readyz",
        tags=["state"],
        summary="Whether this worker should get requests, and if not, why",
        response_model=response_schemas.Readiness,
        responses=not_ready(response_schemas.Readiness),
    )
    async def readyz(_request: Request) -> Response:
        reasons = state.unready_reasons()
        content = state.pool.readiness(reasons)
        return JsonResponse(content, 503 if reasons else 200)
