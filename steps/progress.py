"""How a step tells what it found: one sentence for the person watching, metadata for the record."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from zenml import log_metadata

from registry.run_context import in_step

_LOG = logging.getLogger("churn.progress")

FINDING = "finding"
DOMAIN_SECONDS = "domain_seconds"


class Finding:
    """What a stage found, filled in while it works."""

    def __init__(self, step: str) -> None:
        """Starts empty."""
        self.step = step
        self.sentence = ""
        self.figures: dict[str, Any] = {}

    def __call__(self, sentence: str, figures: Mapping[str, Any] | None = None) -> None:
        """Says it: a short sentence, and figures to keep as step metadata."""
        self.sentence = sentence
        self.figures.update(figures or {})

    def advance(self, done: int, total: int) -> None:
        """Tells how far a long stage is; shape of a cross-validation's `on_fold`."""
        _LOG.info("", extra={"step": self.step, "event": "progress", "done": done, "total": total})


@contextmanager
def stage(name: str) -> Iterator[Finding]:
    """Times the domain's share of a step and publishes what it found.

    The sentence goes to the `churn.progress` logger, which `run.py` renders; sentence, figures and
    the domain's own seconds become step metadata, so that a cached run can show them again.
    """
    _LOG.info("", extra={"step": name, "event": "start"})
    found = Finding(name)
    began = time.perf_counter()
    yield found
    seconds = time.perf_counter() - began
    if in_step():
        log_metadata({FINDING: found.sentence, DOMAIN_SECONDS: round(seconds, 4), **found.figures})
    _LOG.info(found.sentence, extra={"step": name, "event": "done", "seconds": seconds})
