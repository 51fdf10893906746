"""The worker: reads a batch, scores it, writes it everywhere, and only then commits it.

A crash at any point leaves the batch uncommitted, so it is read again: nothing is lost, and what is
written twice carries the same prediction id. What does not answer (brokers, ledger, Redis) is tried
again for as long as it takes; the messages wait on their topic meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from churn.errors import InputError
from churn.ledger.predictions import PredictionLedger
from service.core.environment_settings import NONE
from service.core.log import log
from service.core.model_pool import ModelPool
from service.core.worker_metrics import RequestMetrics
from service.stream.kafka_session import KafkaSession, Offsets, SessionError
from service.stream.latest_scores import LatestError, LatestScores
from service.stream.message_scoring import ScoredBatch, score_messages
from service.stream.messages import Message
from service.stream.stream_metrics import StreamMetrics
from service.stream.stream_settings import StreamSettings

_POLL_SECONDS = 0.5
_LOOK_SECONDS = 3.0
_JOIN_SECONDS = 20.0
_RETRY_SECONDS = 1.0


class StopRequestedError(Exception):
    """The worker is to stop, and waits for something that may never come."""


class StreamWorker:
    """One process's worker.

    Attributes:
        pool: the versions that score.
        figures: what it counts.
    """

    def __init__(self, settings: StreamSettings, metrics_folder: Path) -> None:
        """Loads what scores; connects to nothing yet.

        Raises:
            ChurnError: something it needs is not there or not fit to be used.
        """
        self._settings = settings
        self._tally = RequestMetrics(metrics_folder)
        self.figures = StreamMetrics(metrics_folder)
        self.pool = ModelPool(settings, metrics_folder, self._tally)
        ledger, redis = settings.ledger.get_secret_value(), settings.redis.get_secret_value()
        self._ledger = None if ledger == NONE else PredictionLedger(ledger)
        self._latest = None if redis == NONE else LatestScores(redis, settings.redis_ttl_seconds)
        self._stop = threading.Event()
        self._moved = time.monotonic()
        self._looked = 0.0
        self._faults: dict[str, str] = {"kafka": "The worker has not been in the group yet."}

    def stop(self) -> None:
        """Asks it to finish the batch at hand and to end."""
        self._stop.set()

    def alive(self) -> bool:
        """Whether it still moves."""
        return time.monotonic() - self._moved < self._settings.stall_seconds

    def ready(self) -> dict[str, Any]:
        """What /readyz says."""
        reasons = dict(self._faults)
        if self._stop.is_set():
            reasons["draining"] = "The worker is about to stop."
        return {
            "ready": not reasons,
            "reasons": reasons,
            "versions": self.pool.roles(),
            "refused_bundle": self.pool.refused,
        }

    def run(self) -> None:
        """Works until told to stop; a session that fails is followed by another one."""
        while not self._stop.is_set():
            session = None
            try:
                session = KafkaSession(self._settings)
                self.figures.sessions.inc()
                log("info", "connected")
                self._work(session)
            except StopRequestedError:
                log("warning", "stopped_in_a_batch")
            except SessionError as error:
                self._failed("kafka", str(error).removeprefix("KafkaError: "))
            finally:
                if session is not None:
                    session.close()
            self._wait()
        if self._ledger is not None:
            self._ledger.close()
        if self._latest is not None:
            self._latest.close()

    def _work(self, session: KafkaSession) -> None:
        self._looked = time.monotonic() - _LOOK_SECONDS
        while not self._stop.is_set():
            messages, offsets = session.poll(_POLL_SECONDS)
            self._moved = began = time.monotonic()
            if messages:
                self._batch(session, messages, offsets)
                self.figures.batch_seconds.observe(time.monotonic() - began)
            self._look(session)

    def _batch(self, session: KafkaSession, messages: list[Message], offsets: Offsets) -> None:
        batch = score_messages(messages, self.pool, self._settings.max_message_bytes)
        session.send(batch)
        self._moved = time.monotonic()
        self._until_done("ledger", InputError, lambda: self._record(batch))
        self._until_done("redis", LatestError, lambda: self._keep(batch))
        if not session.commit(offsets):
            self.figures.repeated.inc(len(messages))
            log("warning", "commit_refused", messages=len(messages))
            return
        self.figures.scored.inc(len(batch.scored))
        if batch.rejected:
            for _, rejection in batch.rejected:
                self.figures.rejected.labels(rejection.kind).inc()
            kinds = sorted({rejection.kind for _, rejection in batch.rejected})
            first = batch.rejected[0][0]
            log("warning", "rejected", messages=len(batch.rejected), kinds=kinds,
                partition=first.partition, offset=first.offset)  # fmt: skip

    def _record(self, batch: ScoredBatch) -> None:
        if self._ledger is not None and batch.predictions:
            self._ledger.record(batch.predictions)
            self._tally.add("ledger_written", len(batch.predictions))

    def _keep(self, batch: ScoredBatch) -> None:
        if self._latest is not None:
            self._latest.write(batch.scored)

    def _until_done(self, part: str, error: type[Exception], work: Callable[[], None]) -> None:
        """Tries again until it is done.

        Raises:
            StopRequestedError: the worker is to stop before it is.
        """
        while True:
            try:
                work()
            except error as reason:
                self._failed(part, str(reason))
            else:
                self._well(part)
                return
            self._wait()
            if self._stop.is_set():
                raise StopRequestedError
            self._moved = time.monotonic()  # it waits, which is not to hang

    def _look(self, session: KafkaSession) -> None:
        """Every few seconds: what waits, and whether the brokers still answer.

        Raises:
            SessionError: they do not.
        """
        since = time.monotonic() - self._looked
        if since < _LOOK_SECONDS:
            return
        self.figures.partitions.set(session.partitions)
        if session.member:
            self._looked = time.monotonic()
            self.figures.waiting.set(session.waiting())
            self._well("kafka")
        elif since > _JOIN_SECONDS:
            self._looked = time.monotonic() - _LOOK_SECONDS
            self._failed("kafka", "The group has not taken the worker in.")

    def _failed(self, part: str, reason: str) -> None:
        self.figures.failures.labels(part).inc()
        if part == "ledger":
            self._tally.add("ledger_failures")
        if self._faults.get(part) != reason:
            log("error", f"{part}_failed", reason=reason)
        self._faults = self._faults | {part: reason}

    def _well(self, part: str) -> None:
        if part in self._faults:
            log("info", f"{part}_well")
            self._faults = {name: why for name, why in self._faults.items() if name != part}

    def _wait(self) -> None:
        self._moved = time.monotonic()
        self._stop.wait(_RETRY_SECONDS)
