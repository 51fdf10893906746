"""Several workers behind one socket: starts them, replaces one that dies, stops all.

uvicorn's own supervisor was not taken; docs/decisions.md (2026-11-29) says why.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from multiprocessing.context import SpawnProcess
from pathlib import Path

from churn.errors import ChurnError
from service.api.service_settings import ServiceSettings
from service.api.worker_process import run_worker
from service.core.library_logs import log_libraries
from service.core.log import log

_START_FAILED = 3  # exit code of a worker that cannot load what it serves
_CHECK_SECONDS = 0.1
_MOST_EARLY_DEATHS = 3
_EARLY_SECONDS = 5.0


def supervise(settings: ServiceSettings, listener: socket.socket, metrics_folder: Path) -> int:
    """Supervises until a signal stops it or workers die at once; returns the exit code."""
    context, stopping = multiprocessing.get_context("spawn"), threading.Event()

    def start_worker() -> tuple[SpawnProcess, float]:
        worker = context.Process(target=_run_child, args=(settings, listener, metrics_folder))
        worker.start()
        return worker, time.monotonic()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    workers = [start_worker() for _ in range(settings.workers)]
    early_deaths = 0
    while not stopping.wait(_CHECK_SECONDS) and early_deaths < _MOST_EARLY_DEATHS:
        for place, (worker, since) in enumerate(workers):
            if worker.is_alive():
                continue
            # A worker that dies soon after its start would do so again and again.
            early_deaths = early_deaths + 1 if time.monotonic() - since < _EARLY_SECONDS else 0
            log("error", "worker_died", worker=worker.pid, exit_code=worker.exitcode)
            if worker.exitcode == _START_FAILED:
                early_deaths = _MOST_EARLY_DEATHS
            if early_deaths < _MOST_EARLY_DEATHS:
                workers[place] = start_worker()
    # The ledger's writer may take as long again as the requests do.
    _stop_workers(
        [worker for worker, _ in workers], settings.drain_seconds + 2 * settings.stop_seconds + 5
    )
    return 0 if early_deaths < _MOST_EARLY_DEATHS else 1


def _stop_workers(workers: Sequence[SpawnProcess], seconds: float) -> None:
    for worker in workers:
        if worker.is_alive():
            worker.terminate()
    until = time.monotonic() + seconds
    for worker in workers:
        worker.join(max(0.1, until - time.monotonic()))
        if worker.is_alive():
            log("error", "worker_killed", worker=worker.pid)
            worker.kill()
            worker.join()


def _run_child(settings: ServiceSettings, listener: socket.socket, metrics_folder: Path) -> None:
    """Runs a worker in its process, which ends with the supervisor's."""
    log_libraries()
    parent = os.getppid()

    def watch_parent() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch_parent, name="parent", daemon=True).start()
    try:
        sys.exit(run_worker(settings, listener, metrics_folder))
    except ChurnError as error:
        log("error", "failed_to_start", reason=str(error))
        sys.exit(_START_FAILED)
