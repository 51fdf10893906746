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
from datetime import UTC, datetime
from typing import Any, NamedTuple

from churn.errors import InputError
from churn.ledger.predictions import Prediction, PredictionLedger
from churn.scoring.fields import FieldError
from service.api.log import log
from service.api.served import Served
from service.api.tallies import RequestTally

_AT_ONCE = 500
_RETRY_SECONDS = 1.0


class Noted(NamedTuple):
    """A prediction as the hot route leaves it.

    Attributes:
        at: seconds since the epoch.
        prediction_id: as it was answered.
        served: who answered.
        customer: the id; None where none was given.
        probability: answered.
        decision: answered.
        source: on which path.
        input_hash: of the customer's values. The values themselves are let go of at once: kept for
            a quarter of a second, they would push everything else out of the processor's cache.
        row: the customer, where a shadow is to score it, too.
    """

    at: float
    prediction_id: str
    served: Served
    customer: str | None
    probability: float
    decision: bool
    source: str
    input_hash: str
    row: Mapping[str, Any] | None


class Recorder:
    """The queue and its writer."""

    def __init__(
        self,
        ledger: PredictionLedger | None,
        tally: RequestTally,
        *,
        limit: int,
        flush: float,
        shadow: Callable[[], Served | None],
    ) -> None:
        """Takes where to write and how long to wait.

        Args:
            ledger: None keeps nothing; a shadow scores all the same.
            tally: counts what is written and what is lost.
            limit: how many may wait.
            flush: seconds that one waits at most while the ledger can be written.
            shadow: the version that scores beside the one that answers.
        """
        self._ledger = ledger
        self._tally = tally
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

    def note(self, noted: Noted) -> None:
        """Takes a prediction; drops it where too many wait."""
        if len(self._waiting) >= self._limit:
            self._tally.add("ledger_dropped")
            return
        self._waiting.append(noted)

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
            oldest = self._waiting[0].at
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
        while self._unwritten or self._waiting:
            if not self._unwritten:
                for _ in range(min(len(self._waiting), _AT_ONCE)):
                    self._unwritten.extend(self._predictions(self._waiting.popleft()))
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

    def _predictions(self, noted: Noted) -> list[Prediction]:
        """What was answered, and what the shadow would have said."""
        answer = Prediction(
            prediction_id=noted.prediction_id,
            predicted_at=datetime.fromtimestamp(noted.at, UTC),
            customer=noted.customer,
            version=noted.served.version,
            role=noted.served.role,
            source=noted.source,
            probability=noted.probability,
            decision=noted.decision,
            input_hash=noted.input_hash,
        )
        shadow = self._shadow()
        if shadow is None or noted.row is None:
            return [answer]
        try:
            score = shadow.scorer.score_one(noted.row)
        except (FieldError, ValueError):
            self._tally.add("shadow_failures")
            return [answer]
        shadow.tally.scored(score.probability, decision=score.decision)
        beside = answer._replace(
            version=shadow.version,
            role="shadow",
            probability=score.probability,
            decision=score.decision,
        )
        return [answer, beside]
