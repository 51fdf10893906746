"""The FastAPI application: its routes, its OpenAPI document, and what runs beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute

from churn.errors import InputError
from service.api import routes_documentation
from service.api.asgi_call import Receive, Scope, Send
from service.api.customer_schema import customer_schema, id_schema
from service.api.openapi_descriptions import problem_responses
from service.api.problems import Problem
from service.api.query_parameters import require_known
from service.api.request_path import PUBLIC_PATHS, RequestPath
from service.api.routes_customers import add_customer_routes
from service.api.routes_inference import add_inference_routes
from service.api.routes_scoring import add_scoring_routes
from service.api.routes_state import add_state_routes
from service.api.worker_state import WorkerState
from service.core.log import log

_UPDATE_SECONDS = 0.5
_ANYWHERE = {
    str(status): each
    for status, each in problem_responses(400, 408, 413, 415, 422, 431, 503).items()
}
"""Problems of any request, whatever its path."""


class PlainRoute(APIRoute):
    """A route whose asynchronous function takes the request and returns the response.

    FastAPI describes it in the OpenAPI document, and makes no parameters and no response of its own,
    which would cost more than a score. Query parameters that the document does not have are refused.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Returns the function itself."""
        return self.endpoint

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Checks the names of the query parameters, and calls the function."""
        if scope["query_string"] and scope["method"] in (self.methods or ()):
            described = (self.openapi_extra or {}).get("parameters", ())
            require_known(
                scope["query_string"], [each["name"] for each in described if each["in"] == "query"]
            )
        await super().handle(scope, receive, send)


class ChurnService(FastAPI):
    """The application: the routes, and the OpenAPI document about them."""

    def __init__(self, worker: WorkerState) -> None:
        super().__init__(
            title="Churn scoring",
            version="1",
            summary="Who is about to leave, why, and what could be offered.",
            openapi_url=None,  # a route of ours, like any other
            docs_url=None,  # its pages load scripts from a public server
            redoc_url=None,
            lifespan=_lifespan,
            redirect_slashes=False,
        )
        self.worker = worker
        self.path = RequestPath(worker, self)
        self._openapi_contract: Any = None
        self.router.route_class = PlainRoute
        add_scoring_routes(self, worker)
        add_customer_routes(self, worker)
        add_state_routes(self, worker)
        add_inference_routes(self, worker)
        routes_documentation.add_documentation_routes(self)
        self._answers = {
            (method, route.path): route.endpoint
            for route in self.routes
            if isinstance(route, PlainRoute) and not route.param_convertors
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Calls the route of a request that `RequestPath` has let in, and which answers what it raises.

        FastAPI's own layers for middleware and errors are not part of this.
        """
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        answer = self._answers.get((scope["method"], scope["path"]))
        if answer is None or scope["query_string"]:
            await self.router(scope, receive, send)
        else:
            # What the router would do without any parameter, at a third of its cost.
            response = await answer(Request(scope, receive, send))
            await response(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """Returns the OpenAPI document, with the customer of the served contract in it."""
        model = self.worker.pool.production
        if self._openapi_contract is not model.contract or not self.openapi_schema:
            self.openapi_schema = None
            schema = super().openapi()
            components = schema.setdefault("components", {})
            schemas = components.setdefault("schemas", {})
            schemas["Customer"] = customer_schema(model.contract, model.example)
            answered = {model.contract.id.name: id_schema(model.contract)}
            schemas["BatchRow"]["properties"] = answered | schemas["BatchRow"]["properties"]
            schemas["Problem"] = Problem.model_json_schema()
            if self.worker.keys.required:
                components["securitySchemes"] = {
                    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                    "bearer": {"type": "http", "scheme": "bearer"},
                }
            for path, methods in schema["paths"].items():
                for operation in methods.values():
                    operation["responses"] = _ANYWHERE | operation["responses"]
                    if self.worker.keys.required and path not in PUBLIC_PATHS:
                        operation["security"] = [{"key": []}, {"bearer": []}]
            self._openapi_contract = model.contract
            self.openapi_schema = schema
        return self.openapi_schema


@asynccontextmanager
async def _lifespan(application: Any) -> AsyncIterator[None]:
    worker: WorkerState = application.worker
    worker.ledger_writer.start()
    tasks = [
        asyncio.create_task(worker.pool.follow_store()),
        asyncio.create_task(_update_regularly(worker, application.path)),
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


async def _update_regularly(worker: WorkerState, path: RequestPath) -> None:
    """Twice a second: ends slow connections, sets the gauges, reads the key file if it has changed."""
    logged = ""
    while True:
        await asyncio.sleep(_UPDATE_SECONDS)
        path.end_slow_connections()
        path.return_memory()
        worker.ledger_writer.update_gauges()
        worker.metrics.set_gauge("in_flight", worker.in_flight)
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
