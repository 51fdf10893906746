"""What `make serve` says to a person: where the service answers, and a request to try."""

from __future__ import annotations

import shlex
import socket
import sys

import msgspec

from service.api.worker_state import WorkerState

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - an address to recognize, not to listen on
_SAID = "greeting-said"


def greet(worker: WorkerState, listener: socket.socket) -> None:
    """Says it on a terminal, once for all workers."""
    if not sys.stdout.isatty():
        return
    try:
        (worker.metrics_folder / _SAID).touch(exist_ok=False)
    except FileExistsError:
        return
    host, port = listener.getsockname()[:2]
    sys.stdout.write(greeting(host, port, worker))
    sys.stdout.flush()


def greeting(host: str, port: int, worker: WorkerState) -> str:
    """Returns it: the address, and one line of curl that can be pasted."""
    if host in _EVERYWHERE:
        host = "localhost"
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    customer = msgspec.json.encode(worker.pool.production.example).decode()
    key = " -H 'X-API-Key: YOUR-KEY'" if worker.keys.required else ""
    return (
        f"The churn service answers on {url} and describes itself on {url}/docs. Try it:\n\n"
        f"curl -s {shlex.quote(f'{url}/v1/score')} -H 'Content-Type: application/json'{key} "
        f"-d {shlex.quote(customer)}\n\n"
    )
