"""GET /livez, /readyz and /metrics on a port of their own, answered beside the work."""

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
_CLIENT_SECONDS = 10


class ProbeServer:
    """The listening port.

    Attributes:
        port: it listens on.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        alive: Callable[[], bool],
        ready: Callable[[], dict[str, Any]],
        figures: Callable[[], bytes],
    ) -> None:
        """Listens, and answers once it is started.

        Args:
            host: address to listen on.
            port: to listen on; 0 takes a free one.
            alive: whether the worker still moves.
            ready: what /readyz says; its `ready` decides the status.
            figures: the page of /metrics.

        Raises:
            InputError: the address cannot be had.
        """

        def answer(path: str) -> tuple[int, str, bytes]:
            if path == "/livez":
                well = alive()
                body = {"status": "alive" if well else "stalled"}
                return (200 if well else 503), _JSON, _json(body)
            if path == "/readyz":
                found = ready()
                return (200 if found["ready"] else 503), _JSON, _json(found)
            if path == "/metrics":
                return 200, CONTENT_TYPE, figures()
            known = "There is no such path; there are /livez, /readyz and /metrics."
            return 404, _JSON, _json({"detail": known})

        class Handler(BaseHTTPRequestHandler):
            timeout = _CLIENT_SECONDS

            def do_GET(self) -> None:
                status, kind, body = answer(self.path.partition("?")[0])
                self.send_response_only(status, HTTPStatus(status).phrase)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """ProbeServer come every few seconds: nobody reads that."""

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
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
        """Ends; only after it was started."""
        self._server.shutdown()
        self._server.server_close()


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")
