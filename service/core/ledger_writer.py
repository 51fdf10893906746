"""Predictions on their way to the ledger: queued while answering, written by a thread of its own.

What may be lost: the predictions in the queue if the process is killed (those of the last
`flush_seconds` while the ledger can be written), and those beyond `limit` if the ledger cannot be
written. The latter are counted.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from churn.errors import InputError
from churn.ledger.months import by_month
from churn.ledger.predictions import Prediction, PredictionLedger
from service.core.input_lines import InputLines
from service.core.ledger_rotation import LedgerRotation
from service.core.loaded_model import LoadedModel
from service.core.log import log
from service.core.worker_metrics import RequestMetrics

_TRANSACTION_ROWS = 4096  # each costs the thread that answers a few handovers of the interpreter
_RETRY_SECONDS = 1.0


QueuedPrediction = tuple[Prediction, Mapping[str, Any] | None]
"""What was answered, and the customer if a shadow is to score it, too, or if it is kept."""


class LedgerWriter:
    """The queue and the thread that writes it."""

    def __init__(
        self,
        ledger: PredictionLedger | None,
        metrics: RequestMetrics,
        *,
        limit: int,
        flush_seconds: float,
        shadow: Callable[[], LoadedModel | None],
        rotation: LedgerRotation | None = None,
        inputs: InputLines | None = None,
    ) -> None:
        """Prepares the queue; `start` begins to write.

        Without a ledger nothing is kept, but a shadow scores all the same. At most `limit`
        predictions wait, for `flush_seconds` at most while the ledger can be written.
        """
        self._ledger = ledger
        self._metrics = metrics
        self._limit = limit
        self._flush_seconds = flush_seconds
        self._shadow = shadow
        self._rotation = rotation
        self._inputs = inputs
        self._queue: deque[QueuedPrediction] = deque()
        self._unwritten: list[Prediction] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    def start(self) -> None:
        """Begins to write."""
        self._thread.start()

    def enqueue(self, prediction: Prediction, row: Mapping[str, Any] | None = None) -> None:
        """Queues a prediction, and the customer for a shadow or to be kept; drops them if too many wait.

        The prediction's input is already a hash: the values themselves, kept for a quarter of a
        second, would push everything else out of the processor's cache.
        """
        if len(self._queue) >= self._limit:
            self._metrics.increment("ledger_dropped")
            return
        self._queue.append((prediction, row))

    def stop(self, seconds: float) -> None:
        """Writes what waits and ends, within `seconds`."""
        self._stop.set()
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._count_lost()  # the ledger does not answer; the thread ends with the process
        elif self._ledger is not None:
            self._ledger.close()

    def update_gauges(self) -> None:
        """Sets the gauges of the predictions that wait."""
        waiting = len(self._queue) + len(self._unwritten)
        oldest = self._unwritten[0].predicted_at.timestamp() if self._unwritten else None
        if oldest is None and self._queue:
            oldest = self._queue[0][0].predicted_at.timestamp()
        lag = max(0.0, time.time() - oldest) if oldest else 0.0
        self._metrics.set_gauge("ledger_waiting", waiting)
        self._metrics.set_gauge("ledger_lag_seconds", lag)

    def _run(self) -> None:
        while not self._stop.wait(self._flush_seconds):
            self._write_queue()
        self._write_queue()
        self._count_lost()

    def _count_lost(self) -> None:
        if lost := len(self._unwritten) + len(self._queue):
            self._metrics.increment("ledger_dropped", lost)
            log("error", "ledger_lost", predictions=lost)

    def _rotate(self) -> None:
        if self._rotation is not None:
            self._rotation.run_if_due()

    def _write_queue(self) -> None:
        # Only those that wait now, none that arrive meanwhile: under load this would never end, with
        # a transaction for every few of them and a thread that always competes for the interpreter.
        left = len(self._queue)
        self._rotate()
        while self._unwritten or left:
            if not self._unwritten:
                count = min(left, _TRANSACTION_ROWS)
                left -= count
                self._unwritten = self._dequeue(count)
            if not self._write_unwritten():
                self._rotate()
                if not self._stop.wait(_RETRY_SECONDS):
                    continue
                return

    def _write_unwritten(self) -> bool:
        if self._ledger is not None:
            try:
                for _, part in by_month(self._unwritten):
                    self._ledger.record(part)
                    self._metrics.increment("ledger_written", len(part))
                    self._unwritten = self._unwritten[len(part) :]
            except Exception as error:  # noqa: BLE001 - if the thread ended, nothing more would be written
                self._metrics.increment("ledger_failures")
                expected = isinstance(error, InputError)
                log(
                    "error",
                    "ledger_failed",
                    reason=str(error) if expected else type(error).__name__,
                )
                return False
        self._unwritten = []
        return True

    def _dequeue(self, count: int) -> list[Prediction]:
        """Takes the first that wait, each followed by the shadow's prediction."""
        queued = [self._queue.popleft() for _ in range(count)]
        if self._inputs is not None:
            kept = [(one.predicted_at, row) for one, row in queued if row is not None]
            self._inputs.write(kept)
        shadow = self._shadow()
        if shadow is None:
            return [prediction for prediction, _ in queued]
        predictions = []
        for prediction, row in queued:
            predictions.append(prediction)
            if row is not None:
                beside = shadow_prediction(shadow, prediction, row)
                if beside is None:
                    self._metrics.increment("shadow_failures")
                else:
                    predictions.append(beside)
        return predictions


def shadow_prediction(
    shadow: LoadedModel, answered: Prediction, row: Mapping[str, Any]
) -> Prediction | None:
    """Returns the shadow's prediction for a customer who was answered; None if it cannot score it."""
    try:
        score = shadow.scorer.score_one(row)
    except Exception:  # noqa: BLE001 - it may fail in any way, and the answer's own prediction is written
        return None
    shadow.metrics.count_score(score.probability, decision=score.decision)
    return answered._replace(
        version=shadow.version,
        role="shadow",
        probability=score.probability,
        decision=score.decision,
    )
