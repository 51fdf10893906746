"""Runs the service: one process, or several behind one socket."""

from __future__ import annotations

import socket
from contextlib import closing

from churn.errors import InputError
from churn.scratch import scratch_folder
from service.api.service_settings import ServiceSettings
from service.api.supervisor import supervise
from service.api.worker_process import BACKLOG, run_worker
from service.core.library_logs import log_libraries
from service.core.log import log


def serve(settings: ServiceSettings) -> int:
    """Serves until a signal stops it, and returns the exit code.

    Raises:
        ChurnError: it cannot start.
    """
    log_libraries()
    listener = listen(settings)
    address, port = listener.getsockname()[:2]
    log(
        "info", "listening", host=address, port=port, workers=settings.workers,
        environment=settings.environment, store=settings.store, keyed=settings.keyed,
    )  # fmt: skip
    with closing(listener), scratch_folder("service", settings.scratch_folder) as metrics_folder:
        if settings.workers == 1:
            return run_worker(settings, listener, metrics_folder)
        return supervise(settings, listener, metrics_folder)


def listen(settings: ServiceSettings) -> socket.socket:
    """Returns the listening socket that all workers share.

    Raises:
        InputError: the address cannot be used.
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
    listener.listen(BACKLOG)
    listener.set_inheritable(True)
    return listener
