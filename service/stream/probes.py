"""GET /livez, /readyz and /metrics on a port of their own, answered by a thread of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from churn.errors import InputError
from service.stream.stream_metrics import CONTENT_TYPE

_JSON = "application/json"
_CLIENT_TIMEOUT_SECONDS = 10


class ProbeServer:
    """HTTP server of the probes and metrics."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        alive: Callable[[], bool],
        ready: Callable[[], dict[str, Any]],
        metrics: Callable[[], bytes],
    ) -> None:
        """Listens; `start` begins to answer.

        Port 0 takes a free one. `ready` and `metrics` return what /readyz and /metrics answer.

        Raises:
            InputError: the address cannot be used.
        """
        self._alive, self._ready, self._metrics = alive, ready, metrics
        try:
            self._server = ThreadingHTTPServer((host, port), _handler(self._respond))
        except OSError as error:
            raise InputError(
                f"The worker cannot listen on {host}:{port}: {error.strerror}. Name another port "
                "with CHURN_PORT, or stop what listens there."
            ) from None
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    def start(self) -> None:
        """Begins to answer."""
        Thread(target=self._server.serve_forever, name="probes", daemon=True).start()

    def stop(self) -> None:
        """Stops; call it only after `start`."""
        self._server.shutdown()
        self._server.server_close()

    def _respond(self, path: str) -> tuple[int, str, bytes]:
        """Returns status, content type and body."""
        if path == "/livez":
            is_alive = self._alive()
            body = {"status": "alive" if is_alive else "stalled"}
            return (200 if is_alive else 503), _JSON, _json(body)
        if path == "/readyz":
            content = self._ready()
            return (200 if content["ready"] else 503), _JSON, _json(content)
        if path == "/metrics":
            return 200, CONTENT_TYPE, self._metrics()
        detail = "There is no such path; there are /livez, /readyz and /metrics."
        return 404, _JSON, _json({"detail": detail})


def _handler(
    respond: Callable[[str], tuple[int, str, bytes]],
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _CLIENT_TIMEOUT_SECONDS

        def do_GET(self) -> None:
            status, kind, body = respond(self.path.partition("?")[0])
            self.send_response_only(status, HTTPStatus(status).phrase)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Logs nothing: probes come every few seconds."""

    return Handler


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")
