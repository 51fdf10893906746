"""Receiver of a webhook: a real HTTP server on a free port. A folder's conftest imports its fixtures."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

KEY = "services/T000/B000/of-the-address"


@dataclass
class Receiver:
    """A server with prepared answers, which keeps the requests.

    Attributes:
        url: Its address, with a key in the path as chats have it.
        answers: Status codes, one a request; 200 when they run out.
        bodies: What came.
        headers: With which headers.
        key: What no log may hold of the address.
        hold: Set to release a request that hangs.
    """

    url: str = ""
    key: str = KEY
    answers: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """One for a single test."""
    with receiving() as kept:
        yield kept


@pytest.fixture(scope="module")
def lasting_receiver() -> Iterator[Receiver]:
    """One for what a module makes once."""
    with receiving() as kept:
        yield kept


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Starts a receiver, and stops it."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            kept.headers.append(dict(self.headers))
            status = kept.answers.pop(0) if kept.answers else 200
            if status == 0:
                kept.hold.wait(60)
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_port}/{KEY}"
    try:
        yield kept
    finally:
        kept.hold.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
