"""Progress of a run whose steps run elsewhere, such as in a cluster.

Steps store their results on the ZenML server; this polls it every few seconds and logs each step's
start and end to the `churn.progress` logger, which the command line renders.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from steps.progress import DOMAIN_SECONDS, FINDING

if TYPE_CHECKING:
    from zenml.models import StepRunResponse

_LOG = logging.getLogger("churn.progress")
_SECONDS = 3.0


@contextmanager
def follow_remote_run(run_name: str, *, remote: bool) -> Iterator[None]:
    """Logs the progress of a run until the block ends; does nothing for a run in this process.

    Errors while polling are ignored: the run itself will meet them.
    """
    if not remote:
        yield
        return
    over = threading.Event()
    logged: set[tuple[str, str]] = set()

    def poll() -> None:
        while not over.wait(_SECONDS):
            _log_new_events(run_name, logged)

    thread = threading.Thread(target=poll, name="remote-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        _log_new_events(run_name, logged)


def _log_new_events(run_name: str, logged: set[tuple[str, str]]) -> None:
    try:
        for step in _steps(run_name):
            _log_step(step, logged)
    except Exception as error:  # noqa: BLE001 - polling must not break the run
        _LOG.debug("progress is not known: %s", error)


def _steps(run_name: str) -> list[StepRunResponse]:
    from zenml.client import Client

    client = Client()
    runs = client.list_pipeline_runs(name=run_name, size=1).items
    if not runs:
        return []
    steps = client.list_run_steps(pipeline_run_id=runs[0].id, size=200, hydrate=True).items
    return sorted(steps, key=lambda step: step.created)


def _log_step(step: StepRunResponse, logged: set[tuple[str, str]]) -> None:
    status = step.status
    finding, figures = "", dict[str, Any]()
    if status.is_successful and status.value != "cached":
        event, finding = "done", str(step.run_metadata.get(FINDING, ""))
        figures = {"seconds": float(str(step.run_metadata.get(DOMAIN_SECONDS, 0.0)))}
    elif status.is_failed:
        event = "failed"
    elif status.value == "running":
        event = "start"
    else:
        return
    if (step.name, event) not in logged:
        logged.add((step.name, event))
        _LOG.info(finding, extra={"step": step.name, "event": event, **figures})
