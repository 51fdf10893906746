"""The FastAPI application: its routes, the way through its door, and what it says of itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import perf_counter
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException

from churn.errors import InputError
from churn.scoring.fields import FieldError
from service.api.customer_schema import customer_schema
from service.api.fast_path import plain_asgi_routes
from service.api.problems import PROBLEM_JSON, Problem, ProblemError
from service.api.request_body import ClientDisconnectedError, Message, Receive, Scope, Send
from service.api.routes_inference import add_inference_routes
from service.api.routes_scoring import add_scoring_routes
from service.api.routes_state import add_state_routes
from service.api.worker_state import WorkerState, request_id_of
from service.core.log import log

OPEN = frozenset(
    ("/livez", "/readyz", "/metrics", "/openapi.json", "/v2/health/live", "/v2/health/ready")
)
"""Paths that need no key: probes, figures and the schema say nothing of a customer."""
_TICK_SECONDS = 0.5
_FAILED = ProblemError(500, "The service failed at this request. Name the request id when asking.")


class ChurnService(FastAPI):
    """The application; one customer's score and reasons go past FastAPI's own machinery.

    Attributes:
        state: the worker's state.
    """

    def __init__(self, state: WorkerState) -> None:
        super().__init__(
            title="Churn scoring",
            version="1",
            summary="Who is about to leave, why, and what could be offered.",
            docs_url=None,  # its pages load scripts from a public server
            redoc_url=None,
            lifespan=_lifespan,
            redirect_slashes=False,
        )
        self.state = state
        self._openapi_for: Any = None
        add_scoring_routes(self, state)
        add_state_routes(self, state)
        add_inference_routes(self, state)
        for kind in (ProblemError, FieldError, RequestValidationError, StarletteHTTPException):
            self.add_exception_handler(kind, _refused)
        self.add_exception_handler(Exception, _failed)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers a request."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
        elif scope["path"] in plain_asgi_routes.ROUTES and scope["method"] == "POST":
            await plain_asgi_routes.ROUTES[scope["path"]](self.state, scope, receive, send)
        else:
            await self._through_the_door(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, with the served contract's customer in it."""
        served = self.state.pool.production
        if self._openapi_for is not served.contract or not self.openapi_schema:
            self.openapi_schema = None
            schema = super().openapi()
            parts = schema.setdefault("components", {})
            kinds = parts.setdefault("schemas", {})
            kinds["Customer"] = customer_schema(served.contract, served.example)
            kinds["Problem"] = Problem.model_json_schema()
            if self.state.keys.required:
                parts["securitySchemes"] = {
                    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                    "bearer": {"type": "http", "scheme": "bearer"},
                }
                for path, methods in schema["paths"].items():
                    for operation in methods.values():
                        if path not in OPEN:
                            operation["security"] = [{"key": []}, {"bearer": []}]
            self._openapi_for = served.contract
            self.openapi_schema = schema
        return self.openapi_schema

    async def _through_the_door(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        state, path = self.state, scope["path"]
        request_id = request_id_of(scope["headers"]) or state.new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message["headers"], (b"x-request-id", request_id.encode())]
                message = {**message, "headers": headers}
            await send(message)

        try:
            if path not in OPEN:
                if state.keys.required:
                    state.check_key(scope["headers"])
                state.check_capacity()
            await super().__call__(scope, receive, sending)
        except ProblemError as refusal:
            await _problem(refusal, request_id)(scope, receive, sending)
        except ClientDisconnectedError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
            log(
                "error", "request_failed", route=_route(path), request_id=request_id,
                error=type(error).__name__,
            )  # fmt: skip
            if status == 0:
                await _problem(_FAILED, request_id)(scope, receive, sending)
        seconds = perf_counter() - began
        state.metrics.answered(path, status, seconds)
        if (path not in OPEN and status >= 400) or state.settings.access_log:  # noqa: PLR2004
            log(
                "info", "answered", route=_route(path), status=status, request_id=request_id,
                seconds=round(seconds, 6),
            )  # fmt: skip


@asynccontextmanager
async def _lifespan(application: Any) -> AsyncIterator[None]:
    state: WorkerState = application.state
    state.ledger_writer.start()
    tasks = [asyncio.create_task(state.pool.watch()), asyncio.create_task(_tick(state))]
    log("info", "ready", version=state.pool.production.version)
    yield
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await asyncio.to_thread(state.ledger_writer.stop, state.settings.stop_seconds)


async def _tick(state: WorkerState) -> None:
    """What is looked after twice a second: the gauges, and the file of keys."""
    complained = ""
    while True:
        await asyncio.sleep(_TICK_SECONDS)
        state.ledger_writer.measure()
        state.metrics.put("in_flight", len(state.running))
        state.metrics.put("draining", float(state.draining))
        try:
            if state.keys.reload_if_changed():
                log("info", "keys_reread")
            complained = ""
        except InputError as error:
            if complained != str(error):
                complained = str(error)
                log("error", "keys_unreadable", reason=complained)


async def _refused(request: Request, error: Exception) -> Response:
    """Every refusal of every route, in one form."""
    if isinstance(error, FieldError):
        error = ProblemError.of(error)
    elif isinstance(error, RequestValidationError):
        first = error.errors()[0]
        field = str(first["loc"][-1])
        error = ProblemError(422, f"Parameter '{field}': {first['msg']}.", field=field)
    elif isinstance(error, StarletteHTTPException | HTTPException):
        known = "There is no such path; /openapi.json lists them."
        detail = known if error.status_code == 404 else f"{error.detail}."  # noqa: PLR2004
        error = ProblemError(error.status_code, detail, headers=dict(error.headers or {}))
    assert isinstance(error, ProblemError)  # noqa: S101 - the handlers are registered for these alone
    return _problem(error, request.scope.get("state", {}).get("request_id", ""))


async def _failed(request: Request, _error: Exception) -> Response:
    """FastAPI answers with this, then raises the error again: it is logged at the door."""
    return _problem(_FAILED, request.scope.get("state", {}).get("request_id", ""))


def _problem(refusal: ProblemError, request_id: str) -> Response:
    return Response(
        refusal.body(request_id), refusal.status, refusal.headers, media_type=PROBLEM_JSON
    )


def _route(path: str) -> str:
    """A path fit for a log: one of ours, or none; a foreign one may hold anything."""
    ours = path in OPEN or path.startswith(("/v1/score", "/v1/explain", "/v1/outcomes", "/v2/"))
    return path[:60] if ours and path.isascii() and path.isprintable() else "other"
