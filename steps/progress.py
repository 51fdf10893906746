"""Progress of a step: one sentence for the person watching, figures as step metadata in ZenML."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from zenml import log_metadata

from registry.step_context import in_step

_LOG = logging.getLogger("churn.progress")

FINDING = "finding"
DOMAIN_SECONDS = "domain_seconds"


class StepProgress:
    """Progress and result of a step while it runs.

    Attributes:
        finding: Result in one short sentence; empty until `record` is called.
        figures: Values to store as step metadata.
    """

    def __init__(self, step: str) -> None:
        """Starts without a result."""
        self.step = step
        self.finding = ""
        self.figures: dict[str, Any] = {}

    def record(self, finding: str, figures: Mapping[str, Any] | None = None) -> None:
        """Sets the result: a short sentence, and figures to store as step metadata."""
        self.finding = finding
        self.figures.update(figures or {})

    def advance(self, done: int, total: int) -> None:
        """Logs that `done` of `total` parts are finished; has the signature of `on_fold`."""
        _LOG.info("", extra={"step": self.step, "event": "progress", "done": done, "total": total})

    def count_rows(self, done: int, expected: int | None = None) -> None:
        """Logs that so many rows of a table are done; `expected` is about how many it has."""
        rows = {"event": "rows", "done": done, "total": expected and max(done, expected)}
        _LOG.info("", extra={"step": self.step, **rows})


@contextmanager
def step_progress(name: str) -> Iterator[StepProgress]:
    """Measures the domain's share of a step's time and publishes its result.

    The sentence goes to the `churn.progress` logger, which `run.py` renders; sentence, figures and
    the domain's own seconds become step metadata, so that a cached run can show them again.
    """
    _LOG.info("", extra={"step": name, "event": "start"})
    progress = StepProgress(name)
    began = time.perf_counter()
    yield progress
    seconds = time.perf_counter() - began
    if in_step():
        log_metadata(
            {FINDING: progress.finding, DOMAIN_SECONDS: round(seconds, 4), **progress.figures}
        )
    _LOG.info(progress.finding, extra={"step": name, "event": "done", "seconds": seconds})
