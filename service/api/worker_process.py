"""One worker: loads what it serves, answers, and drains when it is stopped."""

from __future__ import annotations

import signal
import socket
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from service.api.service_settings import ServiceSettings
from service.core.garbage_collector import spare_garbage_collector
from service.core.log import log

if TYPE_CHECKING:
    from uvicorn import Config

    from service.api.worker_state import WorkerState

BACKLOG = 1024


def run_worker(settings: ServiceSettings, listener: socket.socket, metrics_folder: Path) -> int:
    """Serves until a signal stops it, and returns the exit code.

    Raises:
        ChurnError: it cannot load what it serves.
    """
    import uvicorn

    from service.api.greeting import greet
    from service.api.worker_state import WorkerState

    worker = WorkerState(settings, metrics_folder)

    # uvicorn 0.54: `handle_exit` is not documented. Can go when uvicorn drains by itself.
    class DrainingServer(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            """The first signal begins the draining; a second one ends it."""
            if worker.draining or settings.drain_seconds == 0:
                worker.draining = True
                super().handle_exit(sig, frame)
                return
            worker.draining = True
            timer = threading.Timer(settings.drain_seconds, self._stop)
            timer.daemon = True
            timer.start()

        def _stop(self) -> None:
            self.should_exit = True

    server = DrainingServer(_uvicorn_config(worker))
    # uvicorn raises the signal that stopped it once more for earlier handlers, of which there is none.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    spare_garbage_collector()
    greet(worker, listener)
    server.run(sockets=[listener])
    log("info", "stopped")
    return 0


def _uvicorn_config(worker: WorkerState) -> Config:
    from uvicorn import Config

    from service.api.application import ChurnService
    from service.api.http_connection import HttpConnection

    service = ChurnService(worker)

    # uvicorn 0.54: what a class given as `http=` is called with, and that `shutdown` is called, is not
    # documented. Can go when uvicorn documents it.
    class Connection(HttpConnection):
        def __init__(self, **options: Any) -> None:
            super().__init__(service.path, **options)

    return Config(
        service,
        http=Connection,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing needs the caller's address
        lifespan="on",
        ws="none",
        backlog=BACKLOG,
        timeout_graceful_shutdown=max(1, round(worker.settings.stop_seconds)),
    )
