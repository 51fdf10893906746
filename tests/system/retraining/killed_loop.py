"""A retraining loop in a process of its own, on places in files, which kills itself where it is told to."""

from __future__ import annotations

import os
import signal
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from churn.ledger.retraining_events import RetrainingLedger
from churn.retraining.evidence import ProbationFacts
from tests.runner.loop_places import LoopPlaces, Script
from tests.system.production.kept_places import kept_places

RULES = {"probation": {"days": 30}, "approval": {"required": False}}
FELL = ProbationFacts(outcomes=500, roc_auc=0.7, roc_auc_upper=0.72, days=31)
PASSED = ProbationFacts(outcomes=500, roc_auc=0.84, roc_auc_upper=0.86, days=31)
SCRIPTS = {
    "promoted": Script(probation=PASSED),
    "kept": Script(gates="fail"),
    "smoke test failed": Script(smoke_fails=True),
    "fell in probation": Script(probation=FELL),
}


def opened(folder: Path, source: Path, script: str, patch: pytest.MonkeyPatch) -> LoopPlaces:
    """The loop of a folder."""
    loop = LoopPlaces(kept_places(folder, patch), folder, source, SCRIPTS[script])
    loop.install(patch)
    return loop


def run_loop(
    folder: Path, source: Path, script: str, stop: tuple[int, str] | None, ready: Event
) -> None:
    """Starts the loop; dies before or after its event of that number, 1 for the first it adds."""
    with pytest.MonkeyPatch.context() as patch:
        loop = opened(folder, source, script, patch)
        if stop is not None:
            _die_at(patch, *stop)
        ready.set()
        loop.start(rules=RULES)


def _die_at(patch: pytest.MonkeyPatch, number: int, side: str) -> None:
    real, left = RetrainingLedger.add, [number]

    def add(self: RetrainingLedger, event: Any) -> None:
        left[0] -= 1
        if left[0] == 0 and side == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        real(self, event)
        if left[0] == 0 and side == "after":
            os.kill(os.getpid(), signal.SIGKILL)

    patch.setattr(RetrainingLedger, "add", add)
