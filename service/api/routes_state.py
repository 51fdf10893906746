"""What the service says of itself: probes, metadata, figures."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Response

from service.api import response_schemas
from service.api.openapi_descriptions import encode, problems
from service.api.worker_state import WorkerState
from service.core.metrics_page import CONTENT_TYPE, page


def add_state_routes(app: FastAPI, state: WorkerState) -> None:
    """Adds /livez, /readyz, /metadata and /metrics."""

    @app.get("/livez", tags=["state"], summary="Whether the process runs", responses=problems())
    async def livez() -> response_schemas.Alive:
        return response_schemas.Alive()

    not_ready: dict[int | str, dict[str, Any]] = {
        503: {"model": response_schemas.Ready, "description": "This worker should not be asked"}
    }
    figures: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
    }

    @app.get(
        "/readyz",
        tags=["state"],
        summary="Whether this worker should be asked, and if not, why",
        response_model=response_schemas.Ready,
        responses=problems() | not_ready,
    )
    async def readyz() -> Response:
        reasons = state.unready_reasons()
        content = {"ready": not reasons, "reasons": reasons, **state.detail()}
        return Response(encode(content), 503 if reasons else 200, media_type="application/json")

    @app.get(
        "/metadata",
        tags=["state"],
        summary="What is served, how good it is, and where it comes from",
        response_model=response_schemas.Metadata,
        responses=problems(401, 503),
    )
    async def metadata() -> Response:
        pool = state.pool
        content = pool.production.metadata() | {"versions": pool.roles()}
        return Response(encode(content), media_type="application/json")

    @app.get(
        "/metrics",
        tags=["state"],
        summary="StreamMetrics of all workers, for Prometheus",
        response_class=Response,
        responses=figures,
    )
    def metrics() -> Response:
        state.ledger_writer.measure()
        return Response(page(state.metrics_folder), media_type=CONTENT_TYPE)
