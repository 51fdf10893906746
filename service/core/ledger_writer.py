"""Predictions on their way to the ledger: noted while answering, written by a thread of its own.

What may be lost: the predictions that wait, when a process is killed (those of the last
`flush` seconds, as long as the ledger can be written), and those beyond `limit`, when it cannot.
The latter are counted.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from churn.errors import InputError
from churn.ledger.predictions import Prediction, PredictionLedger
from churn.scoring.fields import FieldError
from service.core.loaded_model import LoadedModel
from service.core.log import log
from service.core.worker_metrics import RequestMetrics

_AT_ONCE = 4096  # in one transaction; each costs the thread that answers a few handovers
_RETRY_SECONDS = 1.0


Noted = tuple[Prediction, Mapping[str, Any] | None]
"""What was answered, and the customer where a shadow is to score it, too."""


class LedgerWriter:
    """The queue and its writer."""

    def __init__(
        self,
        ledger: PredictionLedger | None,
        metrics: RequestMetrics,
        *,
        limit: int,
        flush: float,
        shadow: Callable[[], LoadedModel | None],
    ) -> None:
        """Takes where to write and how long to wait.

        Args:
            ledger: None keeps nothing; a shadow scores all the same.
            metrics: counts what is written and what is lost.
            limit: how many may wait.
            flush: seconds that one waits at most while the ledger can be written.
            shadow: the version that scores beside the one that answers.
        """
        self._ledger = ledger
        self._tally = metrics
        self._limit = limit
        self._flush = flush
        self._shadow = shadow
        self._waiting: deque[Noted] = deque()
        self._unwritten: list[Prediction] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    def start(self) -> None:
        """Begins to write."""
        self._thread.start()

    def note(self, prediction: Prediction, row: Mapping[str, Any] | None = None) -> None:
        """Takes a prediction; drops it where too many wait.

        Args:
            prediction: what was answered. Its input is a hash already: the values themselves, kept
                for a quarter of a second, would push all else out of the processor's cache.
            row: the customer, where a shadow is to score it, too.
        """
        if len(self._waiting) >= self._limit:
            self._tally.add("ledger_dropped")
            return
        self._waiting.append((prediction, row))

    def stop(self, seconds: float) -> None:
        """Writes what waits and ends, within `seconds`."""
        self._stop.set()
        self._thread.join(seconds)
        if self._ledger is not None and not self._thread.is_alive():
            self._ledger.close()

    def measure(self) -> None:
        """Sets the gauges of what waits."""
        waiting = len(self._waiting) + len(self._unwritten)
        oldest = self._unwritten[0].predicted_at.timestamp() if self._unwritten else None
        if oldest is None and self._waiting:
            oldest = self._waiting[0][0].predicted_at.timestamp()
        self._tally.put("ledger_waiting", waiting)
        self._tally.put("ledger_lag_seconds", max(0.0, time.time() - oldest) if oldest else 0.0)

    def _run(self) -> None:
        while not self._stop.wait(self._flush):
            self._write_all()
        self._write_all()
        if self._unwritten:
            lost = len(self._unwritten) + len(self._waiting)
            self._tally.add("ledger_dropped", lost)
            log("error", "ledger_lost", predictions=lost)

    def _write_all(self) -> None:
        # Those that wait by now, and none that come meanwhile: under load there would be no end to
        # it, a transaction for every few of them, and a thread that always wants the interpreter.
        left = len(self._waiting)
        while self._unwritten or left:
            if not self._unwritten:
                count = min(left, _AT_ONCE)
                left -= count
                self._unwritten = self._taken(count)
            if not self._written():
                if not self._stop.wait(_RETRY_SECONDS):
                    continue
                return

    def _written(self) -> bool:
        if self._ledger is not None:
            try:
                self._ledger.record(self._unwritten)
            except InputError as error:
                self._tally.add("ledger_failures")
                log("error", "ledger_failed", reason=str(error))
                return False
            self._tally.add("ledger_written", len(self._unwritten))
        self._unwritten = []
        return True

    def _taken(self, count: int) -> list[Prediction]:
        """The first that wait, each followed by what the shadow would have said."""
        taken = [self._waiting.popleft() for _ in range(count)]
        shadow = self._shadow()
        if shadow is None:
            return [prediction for prediction, _ in taken]
        found = []
        for prediction, row in taken:
            found.append(prediction)
            if row is not None:
                found += self._beside(shadow, prediction, row)
        return found

    def _beside(
        self, shadow: LoadedModel, answer: Prediction, row: Mapping[str, Any]
    ) -> list[Prediction]:
        try:
            score = shadow.scorer.score_one(row)
        except (FieldError, ValueError):
            self._tally.add("shadow_failures")
            return []
        shadow.metrics.scored(score.probability, decision=score.decision)
        return [
            answer._replace(
                version=shadow.version,
                role="shadow",
                probability=score.probability,
                decision=score.decision,
            )
        ]
