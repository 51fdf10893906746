"""Runs the service: one process, or several behind one socket that are replaced when they die."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import FrameType
from typing import cast

from churn.errors import ChurnError, InputError
from service.api.service_settings import ServiceSettings
from service.core.log import log

FAILED = 3
_BACKLOG = 1024
_COLLECT_AFTER = (20_000, 20, 20)  # requests make no cycles; notes that wait are no garbage
_LOOK_SECONDS = 0.1
_TRIES = 3
_SHORT_LIVED = 5.0


def serve(settings: ServiceSettings) -> int:
    """Serves until told to stop, and returns the exit code.

    Raises:
        ChurnError: it cannot start.
    """
    listener = listening(settings)
    address, port = listener.getsockname()[:2]
    log(
        "info", "listening", host=address, port=port, workers=settings.workers,
        environment=settings.environment, store=settings.store, keyed=settings.keyed,
    )  # fmt: skip
    metrics_folder = Path(tempfile.mkdtemp(prefix="churn-service-"))
    try:
        if settings.workers == 1:
            return work(settings, listener, metrics_folder)
        return _Supervisor(settings, listener, metrics_folder).run()
    finally:
        listener.close()
        shutil.rmtree(metrics_folder, ignore_errors=True)


def listening(settings: ServiceSettings) -> socket.socket:
    """The socket that all workers share.

    Raises:
        InputError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise InputError(
            f"The service cannot listen on {settings.host}:{settings.port}: {error.strerror}. Name "
            "another port with --port or CHURN_PORT, or stop what listens there."
        ) from None
    listener.listen(_BACKLOG)
    listener.set_inheritable(True)
    return listener


def work(settings: ServiceSettings, listener: socket.socket, metrics_folder: Path) -> int:
    """One worker: loads, serves, drains.

    Raises:
        ChurnError: it cannot load what it serves.
    """
    import uvicorn

    from service.api.application import ChurnService
    from service.api.fast_path.request_batcher import RequestBatcher
    from service.api.fast_path.score_protocol import ScoreProtocol
    from service.api.worker_state import WorkerState

    state = WorkerState(settings, metrics_folder)

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            """The first signal begins the draining; a second one ends it."""
            if state.draining or settings.drain_seconds == 0:
                state.draining = True
                super().handle_exit(sig, frame)
                return
            state.draining = True
            stop: Callable[[], None] = lambda: setattr(self, "should_exit", True)  # noqa: E731
            timer = threading.Timer(settings.drain_seconds, stop)
            timer.daemon = True
            timer.start()

    config = uvicorn.Config(
        ChurnService(state),
        # uvicorn calls it, as it would a class.
        http=cast(type[asyncio.Protocol], partial(ScoreProtocol, RequestBatcher(state))),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody asks for the caller's address
        lifespan="on",
        ws="none",
        backlog=_BACKLOG,
        timeout_graceful_shutdown=max(1, round(settings.stop_seconds)),
    )
    server = Server(config)
    state.running = server.server_state.tasks
    # uvicorn raises the signal that stopped it once more, for whoever listened before it: nobody does.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    # What is loaded by now stays: the collector need not look through it again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    server.run(sockets=[listener])
    log("info", "stopped")
    return 0


def _child(settings: ServiceSettings, listener: socket.socket, metrics_folder: Path) -> None:
    """A worker's process; it ends with the one that started it."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
    try:
        sys.exit(work(settings, listener, metrics_folder))
    except ChurnError as error:
        log("error", "failed_to_start", reason=str(error))
        sys.exit(FAILED)


class _Supervisor:
    def __init__(
        self, settings: ServiceSettings, listener: socket.socket, metrics_folder: Path
    ) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._settings = settings
        self._arguments = (settings, listener, metrics_folder)
        self._workers: list[tuple[SpawnProcess, float]] = []
        self._stopping = threading.Event()

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: self._stopping.set())
        self._workers = [self._started() for _ in range(self._settings.workers)]
        early = 0
        while not self._stopping.wait(_LOOK_SECONDS) and early < _TRIES:
            for place, (worker, since) in enumerate(self._workers):
                if worker.is_alive():
                    continue
                # Whoever dies right away would do so again and again.
                early = early + 1 if time.monotonic() - since < _SHORT_LIVED else 0
                log("error", "worker_died", worker=worker.pid, exit_code=worker.exitcode)
                if worker.exitcode == FAILED:
                    early = _TRIES
                if early < _TRIES:
                    self._workers[place] = self._started()
        self._stop()
        return 0 if early < _TRIES else 1

    def _started(self) -> tuple[SpawnProcess, float]:
        worker = self._context.Process(target=_child, args=self._arguments)
        worker.start()
        return worker, time.monotonic()

    def _stop(self) -> None:
        for worker, _ in self._workers:
            if worker.is_alive():
                worker.terminate()
        # The ledger_writer may take as long again as the requests do.
        until = (
            time.monotonic() + self._settings.drain_seconds + 2 * self._settings.stop_seconds + 5
        )
        for worker, _ in self._workers:
            worker.join(max(0.1, until - time.monotonic()))
            if worker.is_alive():
                log("error", "worker_killed", worker=worker.pid)
                worker.kill()
                worker.join()
