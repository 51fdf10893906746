"""The one path of every request: limits, key, capacity, answer, problem, metrics and log.

A connection hands over a head, then the whole request. Two executors answer: the short path
(`service.api.fast_path`), where it is on, takes `POST /v1/score`; the application takes the rest. Both
return here with what they answered, or with the exception that says why not.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import perf_counter

from service.api import routes_documentation
from service.api.asgi_call import AsgiApplication, AsgiCall
from service.api.content_encoding import decode_body, read_codings
from service.api.cross_origin import CrossOriginRules, preflight_answer
from service.api.fast_path.request_batcher import RequestBatcher
from service.api.http_connection import HttpConnection
from service.api.http_request import Answer, HttpRequest, problem_answer
from service.api.problems import ProblemError, as_problem, internal_error
from service.api.worker_state import WorkerState
from service.core.free_memory import return_free_memory
from service.core.log import log

SCORE, EXPLAIN = "/v1/score", "/v1/explain"
OUTCOMES, TREATMENTS = "/v1/outcomes", "/v1/treatments"
BATCH = f"{SCORE}/batch"
CUSTOMERS, SCORE_END = "/v1/customers/", "/score"
CUSTOMER_SCORE = f"{CUSTOMERS}{{id}}{SCORE_END}"
MODELS = "/v2/models/"
PUBLIC_PATHS = frozenset(
    (
        "/livez",
        "/readyz",
        "/metrics",
        "/v2/health/live",
        "/v2/health/ready",
        *routes_documentation.PATHS,
    )
)
"""Paths that need no key: probes, metrics and the schema say nothing about a customer."""
_SCORE_URL = SCORE.encode()
_BODIES_AT_ONCE = 4
"""So many of the largest batches may be in memory at once."""
_FIRST_ERROR_STATUS = 400


class RequestPath:
    """What all connections of a worker share.

    Attributes:
        settings: settings of the service.
    """

    def __init__(self, state: WorkerState, application: AsgiApplication) -> None:
        self.settings = state.settings
        self._state = state
        self._application = application
        self._connections: set[HttpConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._reserved = 0
        self._had_large_bodies = False
        self._cross_origin = CrossOriginRules(self.settings.cors_origins)
        self._batcher = RequestBatcher(state, self) if self.settings.short_path else None

    # Connections.

    def add_connection(self, connection: HttpConnection) -> None:
        """Takes a new connection; at the limit, the caller that was waited for the longest goes."""
        self._connections.add(connection)
        if len(self._connections) <= self.settings.max_connections:
            return
        waiting = [each for each in self._connections if each.is_waiting and each is not connection]
        oldest = min(waiting, key=lambda each: each.waiting_since, default=connection)
        oldest.end(self._state.over_capacity())
        oldest.close()
        self._connections.discard(oldest)

    def remove_connection(self, connection: HttpConnection) -> None:
        """Forgets a connection, and the body that was on its way."""
        self._connections.discard(connection)
        if connection.request is not None and not connection.is_answering:
            self._release(connection.request)

    def end_slow_connections(self) -> None:
        """Ends the connections whose callers have taken too long."""
        now = asyncio.get_running_loop().time()
        for connection in list(self._connections):
            try:
                connection.expire(now)
            except Exception:  # noqa: BLE001 - the others' deadlines hold whatever happens to one
                connection.abort()

    # Requests.

    def admit(self, request: HttpRequest) -> None:
        """Sets a request's limit, and checks its key before its body is read."""
        state, path = self._state, request.path
        request.own_id = state.new_id()
        many = path in (BATCH, OUTCOMES, TREATMENTS) or path.startswith(MODELS)
        request.limit = self.settings.max_batch_bytes if many else self.settings.max_body_bytes
        request.shared_headers = self._cross_origin.headers(request)
        try:
            if path not in PUBLIC_PATHS and not self._cross_origin.is_preflight(request):
                state.check_key(request.head.key)
            if request.head.content_encoding:
                request.codings = read_codings(request.head.content_encoding)
        except ProblemError as problem:
            request.refusal = problem

    def reserve(self, request: HttpRequest, size: int) -> None:
        """Counts the body of a request towards the memory of all, unless it is small.

        Raises:
            ProblemError: 503, as many large bodies are in memory as there may be.
        """
        more = size - request.reserved
        if size <= self.settings.max_body_bytes:
            return
        if self._reserved + more > _BODIES_AT_ONCE * self.settings.max_batch_bytes:
            raise self._state.over_capacity()
        self._reserved += more
        self._had_large_bodies = True
        request.reserved = size

    def return_memory(self) -> None:
        """Gives back what large bodies took, once none is left."""
        if self._had_large_bodies and not self._reserved:
            self._had_large_bodies = False
            return_free_memory()

    def answer(self, connection: HttpConnection, request: HttpRequest) -> None:
        """Answers a whole request, or begins to."""
        state = self._state
        problem = request.refusal
        if problem is None and request.path not in PUBLIC_PATHS:
            if state.free_capacity() <= 0:
                problem = state.over_capacity()
            else:
                request.has_capacity = True
                state.in_flight += 1
        if problem is not None:
            self.finish(connection, request, problem)
        elif self._cross_origin.is_preflight(request):
            self.finish(connection, request, preflight_answer(request.request_id))
        elif (
            self._batcher is not None
            and request.url == _SCORE_URL
            and request.method == "POST"
            and not request.codings
        ):
            self._batcher.enqueue(connection, request)
        else:
            task = asyncio.get_running_loop().create_task(self._call(connection, request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _call(self, connection: HttpConnection, request: HttpRequest) -> None:
        call = AsgiCall(connection, request)
        error: Exception | None = None
        try:
            if request.codings and request.body:
                await self._decode_body(request)
            await self._application(call.scope, call.receive, call.send)
        except Exception as raised:  # noqa: BLE001 - the caller gets an answer whatever happens
            error = raised
        if call.is_complete or connection.is_lost:
            self.account(request, call.status)
        elif not call.status:
            self.finish(connection, request, error or RuntimeError("There was no answer."))
        else:
            self._log_failure(request, error or RuntimeError("The answer was not complete."))
            connection.abort()
            self.account(request, call.status)
        if error is not None:
            _release_frames(error)

    async def _decode_body(self, request: HttpRequest) -> None:
        """Decompresses a body.

        Raises:
            ProblemError: it holds too much, or something else than its header says.
        """
        limit = request.limit
        self.reserve(request, limit)
        request.body = await asyncio.to_thread(decode_body, request.body, request.codings, limit)

    def finish(
        self, connection: HttpConnection, request: HttpRequest, result: Answer | Exception
    ) -> None:
        """Sends an answer, or the problem that an exception stands for, and accounts for it."""
        self.account(request, self.send(connection, request, result))

    def send(
        self, connection: HttpConnection, request: HttpRequest, result: Answer | Exception
    ) -> int:
        """Sends an answer, or the problem that an exception stands for; returns its status."""
        if isinstance(result, Exception):
            problem = as_problem(result)
            if problem is None:
                self._log_failure(request, result)
                problem = internal_error()
            _release_frames(result)
            in_v2 = f"{request.path}/".startswith("/v2/")
            result = problem_answer(problem, request.request_id, in_v2=in_v2)
        connection.send_answer(result)
        return result.status

    def refuse(self, connection: HttpConnection, problem: ProblemError) -> None:
        """Answers with a problem before a request is whole, or even known."""
        request = connection.request or HttpRequest("", b"", [], version="1.1", keep_alive=False)
        request.own_id = request.own_id or self._state.new_id()
        self.finish(connection, request, problem)

    def account(self, request: HttpRequest, status: int) -> None:
        """Counts an answer, logs it if it is a problem or the access log is on, ends its request."""
        seconds = perf_counter() - request.began
        self._release(request)
        route = _route(request.path)
        self._state.metrics.count_response(route, status, seconds)
        is_problem = status >= _FIRST_ERROR_STATUS and route not in PUBLIC_PATHS
        if is_problem or self.settings.access_log:
            with suppress(Exception):  # a log that cannot be written costs nobody an answer
                log(
                    "info", "answered", route=_loggable(route), status=status,
                    request_id=request.request_id, seconds=round(seconds, 6),
                )  # fmt: skip

    def _release(self, request: HttpRequest) -> None:
        self._reserved -= request.reserved
        request.reserved = 0
        if request.has_capacity:
            request.has_capacity = False
            self._state.in_flight -= 1

    def _log_failure(self, request: HttpRequest, error: Exception) -> None:
        # Only its type: the message of an exception may hold a customer's values.
        with suppress(Exception):
            log(
                "error", "request_failed", route=_loggable(_route(request.path)),
                request_id=request.request_id, error=type(error).__name__,
            )  # fmt: skip


def _route(path: str) -> str:
    """Returns a path without the customer's id."""
    if path.startswith(CUSTOMERS) and path.endswith(SCORE_END):
        return CUSTOMER_SCORE
    return path


def _loggable(path: str) -> str:
    """Returns one of the service's own paths, `other` for any other, which could contain anything."""
    ours = (
        path in PUBLIC_PATHS
        or path == CUSTOMER_SCORE
        or path.startswith((SCORE, EXPLAIN, OUTCOMES, TREATMENTS, "/v2/"))
    )
    return path[:60] if ours and path.isascii() and path.isprintable() else "other"


def _release_frames(error: Exception) -> None:
    """Lets go of the frames that an error passed through: they have the body, and one has the error.

    Such a circle would keep up to 17 MB a request until the garbage collector looks.
    """
    error.__traceback__ = error.__context__ = None
