"""The FastAPI application: its routes, the checks before every route, and its OpenAPI document."""

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
from service.api import routes_documentation
from service.api.customer_schema import customer_schema
from service.api.fast_path import plain_asgi_routes
from service.api.problems import PROBLEM_JSON, Problem, ProblemError, internal_error
from service.api.request_body import ClientDisconnectedError, Message, Receive, Scope, Send
from service.api.request_headers import read_head
from service.api.routes_inference import add_inference_routes
from service.api.routes_scoring import add_scoring_routes
from service.api.routes_state import add_state_routes
from service.api.worker_state import WorkerState
from service.core.log import log

PUBLIC_PATHS = frozenset(
    (
        "/livez",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/v2/health/live",
        "/v2/health/ready",
        *routes_documentation.PATHS,
    )
)
"""Paths that need no key: probes, metrics and the schema say nothing about a customer."""
_UPDATE_SECONDS = 0.5
_FIRST_ERROR_STATUS = 400


class ChurnService(FastAPI):
    """The application; one customer's score and reasons bypass FastAPI's own routing."""

    def __init__(self, worker: WorkerState) -> None:
        super().__init__(
            title="Churn scoring",
            version="1",
            summary="Who is about to leave, why, and what could be offered.",
            docs_url=None,  # its pages load scripts from a public server
            redoc_url=None,
            lifespan=_lifespan,
            redirect_slashes=False,
        )
        self.worker = worker
        self._openapi_contract: Any = None
        add_scoring_routes(self, worker)
        add_state_routes(self, worker)
        add_inference_routes(self, worker)
        routes_documentation.add_documentation_routes(self)
        expected = (ProblemError, FieldError, RequestValidationError, StarletteHTTPException)
        for kind in (*expected, Exception):
            self.add_exception_handler(kind, _handle_error)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers a request."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
        elif scope["path"] in plain_asgi_routes.ROUTES and scope["method"] == "POST":
            await plain_asgi_routes.ROUTES[scope["path"]](self.worker, scope, receive, send)
        else:
            await self._call_checked(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """Returns the OpenAPI document, with the customer of the served contract in it."""
        model = self.worker.pool.production
        if self._openapi_contract is not model.contract or not self.openapi_schema:
            self.openapi_schema = None
            schema = super().openapi()
            components = schema.setdefault("components", {})
            schemas = components.setdefault("schemas", {})
            schemas["Customer"] = customer_schema(model.contract, model.example)
            schemas["Problem"] = Problem.model_json_schema()
            if self.worker.keys.required:
                components["securitySchemes"] = {
                    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                    "bearer": {"type": "http", "scheme": "bearer"},
                }
                for path, methods in schema["paths"].items():
                    for operation in methods.values():
                        if path not in PUBLIC_PATHS:
                            operation["security"] = [{"key": []}, {"bearer": []}]
            self._openapi_contract = model.contract
            self.openapi_schema = schema
        return self.openapi_schema

    async def _call_checked(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Checks key and capacity, calls FastAPI, adds the request id, counts and logs the answer."""
        began = perf_counter()
        worker, path = self.worker, scope["path"]
        head = read_head(scope["headers"])
        request_id = head.request_id or worker.new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message["headers"], (b"x-request-id", request_id.encode())]
                message = {**message, "headers": headers}
            await send(message)

        try:
            if path not in PUBLIC_PATHS:
                worker.check_key(head.key)
                worker.check_capacity()
            await super().__call__(scope, receive, send_with_id)
        except ProblemError as problem:
            await _problem_response(problem, request_id)(scope, receive, send_with_id)
        except ClientDisconnectedError:
            pass
        except Exception as error:  # noqa: BLE001 - the caller gets an answer whatever happens
            log(
                "error", "request_failed", route=_loggable(path), request_id=request_id,
                error=type(error).__name__,
            )  # fmt: skip
            if status == 0:
                await _problem_response(internal_error(), request_id)(scope, receive, send_with_id)
        _record(worker, path, status, request_id, perf_counter() - began)


@asynccontextmanager
async def _lifespan(application: Any) -> AsyncIterator[None]:
    worker: WorkerState = application.worker
    worker.ledger_writer.start()
    tasks = [
        asyncio.create_task(worker.pool.follow_store()),
        asyncio.create_task(_update_regularly(worker)),
    ]
    log("info", "ready", version=worker.pool.production.version)
    yield
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await asyncio.to_thread(worker.ledger_writer.stop, worker.settings.stop_seconds)
    if worker.outcome_writer is not None:
        worker.outcome_writer.close()


async def _update_regularly(worker: WorkerState) -> None:
    """Twice a second: sets the gauges and reads the key file if it has changed."""
    logged = ""
    while True:
        await asyncio.sleep(_UPDATE_SECONDS)
        worker.ledger_writer.update_gauges()
        worker.metrics.set_gauge("in_flight", len(worker.active_requests))
        waiting = worker.outcome_writer.waiting if worker.outcome_writer is not None else 0
        worker.metrics.set_gauge("outcomes_waiting", waiting)
        worker.metrics.set_gauge("draining", float(worker.draining))
        try:
            if worker.keys.reload_if_changed():
                log("info", "keys_reread")
            logged = ""
        except InputError as error:
            if logged != str(error):
                logged = str(error)
                log("error", "keys_unreadable", reason=logged)


async def _handle_error(request: Request, error: Exception) -> Response:
    """Turns every error of every route into a problem.

    An unexpected one is answered 500; FastAPI then raises it again, and `_call_checked` logs it.
    """
    if isinstance(error, FieldError):
        error = ProblemError.from_field_error(error)
    elif isinstance(error, RequestValidationError):
        first = error.errors()[0]
        field = str(first["loc"][-1])
        error = ProblemError(422, f"Parameter '{field}': {first['msg']}.", field=field)
    elif isinstance(error, StarletteHTTPException | HTTPException):
        unknown = "There is no such path; /openapi.json lists them."
        detail = unknown if error.status_code == 404 else f"{error.detail}."  # noqa: PLR2004
        error = ProblemError(error.status_code, detail, headers=dict(error.headers or {}))
    elif not isinstance(error, ProblemError):
        error = internal_error()
    return _problem_response(error, request.scope.get("state", {}).get("request_id", ""))


def _problem_response(problem: ProblemError, request_id: str) -> Response:
    return Response(
        problem.body(request_id), problem.status, problem.headers, media_type=PROBLEM_JSON
    )


def _record(worker: WorkerState, path: str, status: int, request_id: str, seconds: float) -> None:
    worker.metrics.count_response(path, status, seconds)
    is_error = path not in PUBLIC_PATHS and status >= _FIRST_ERROR_STATUS
    if is_error or worker.settings.access_log:
        log(
            "info", "answered", route=_loggable(path), status=status, request_id=request_id,
            seconds=round(seconds, 6),
        )  # fmt: skip


def _loggable(path: str) -> str:
    """Returns one of the service's own paths, `other` for any other, which could contain anything."""
    routes = "/v1/score", "/v1/explain", "/v1/outcomes", "/v2/"
    ours = path in PUBLIC_PATHS or path.startswith(routes)
    return path[:60] if ours and path.isascii() and path.isprintable() else "other"
