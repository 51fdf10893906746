"""Tells of the steps of a run that goes on elsewhere, as if they ran here.

Steps write what they found on their ZenML server; this asks it every few seconds and hands each
step's beginning and end to the `churn.progress` logger, which the door renders.
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
def watching(run_name: str, *, elsewhere: bool) -> Iterator[None]:
    """Watches a run by its name for as long as the block lasts; does nothing for one that runs here.

    Whatever goes wrong while asking is left to the run itself to find.
    """
    if not elsewhere:
        yield
        return
    over = threading.Event()
    told: set[tuple[str, str]] = set()

    def watch() -> None:
        while not over.wait(_SECONDS):
            _tell(run_name, told)

    watcher = threading.Thread(target=watch, name="watching", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        _tell(run_name, told)


def _tell(run_name: str, told: set[tuple[str, str]]) -> None:
    try:
        for step in _steps(run_name):
            _tell_of(step, told)
    except Exception as error:  # noqa: BLE001 - watching must not break what is watched
        _LOG.debug("not watched: %s", error)


def _steps(run_name: str) -> list[StepRunResponse]:
    from zenml.client import Client

    client = Client()
    runs = client.list_pipeline_runs(name=run_name, size=1).items
    if not runs:
        return []
    found = client.list_run_steps(pipeline_run_id=runs[0].id, size=200, hydrate=True).items
    return sorted(found, key=lambda step: step.created)


def _tell_of(step: StepRunResponse, told: set[tuple[str, str]]) -> None:
    status = step.status
    if status.is_successful and status.value != "cached":
        figures: dict[str, Any] = {"seconds": float(step.run_metadata.get(DOMAIN_SECONDS, 0.0))}
        event, sentence = "done", str(step.run_metadata.get(FINDING, ""))
    elif status.is_failed:
        event, sentence, figures = "failed", "", {}
    elif status.value == "running":
        event, sentence, figures = "start", "", {}
    else:
        return
    if (step.name, event) not in told:
        told.add((step.name, event))
        _LOG.info(sentence, extra={"step": step.name, "event": event, **figures})
