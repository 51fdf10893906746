"""The worker: reads a batch, scores it, writes it everywhere, and only then commits it.

A crash at any point leaves the batch uncommitted, so it is read again: nothing is lost. What is written
again has the same prediction id and, if the ledger has it, the same answer. If brokers, ledger or Redis
do not answer, the worker tries again until they do; the messages wait on their topic meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from churn.errors import InputError
from churn.feature_store.online.online_store import OnlineStoreError
from churn.ledger.months import by_month
from churn.ledger.prediction import Prediction
from churn.ledger.predictions import PredictionLedger
from service.core.environment_settings import NONE
from service.core.input_lines import input_lines
from service.core.ledger_rotation import LedgerRotation
from service.core.log import log
from service.core.model_pool import ModelPool
from service.core.worker_metrics import RequestMetrics
from service.stream.latest_scores import LatestScores, LatestScoresError
from service.stream.message_scoring import ScoredBatch, score_messages
from service.stream.messages import Message
from service.stream.session import Session, SessionError
from service.stream.stored_fields import StoredFields
from service.stream.stream_metrics import StreamMetrics
from service.stream.stream_settings import StreamSettings
from service.stream.transports import open_session

_POLL_SECONDS = 0.5
_CHECK_SECONDS = 3.0
_JOIN_SECONDS = 20.0
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 10.0  # a gauge stays fresh for longer


class StopRequested(Exception):  # noqa: N818 - no error: somebody stopped the worker
    """The worker is to stop, and waits for something that may never answer."""


class StreamWorker:
    """The worker of one process."""

    def __init__(self, settings: StreamSettings, metrics_folder: Path) -> None:
        """Loads the models; connects to nothing yet.

        Raises:
            ChurnError: something that it needs is missing or cannot be used.
        """
        self._settings = settings
        self._shared_metrics = RequestMetrics(metrics_folder)
        self.metrics = StreamMetrics(metrics_folder)
        self.pool = ModelPool(settings, metrics_folder, self._shared_metrics)
        ledger, redis = settings.ledger.get_secret_value(), settings.redis.get_secret_value()
        self._ledger, self._rotation = None, None
        if ledger != NONE:
            self._ledger = PredictionLedger(ledger, max_bytes=settings.ledger_max_bytes)
            self._rotation = LedgerRotation(
                self._ledger, self._shared_metrics, settings.ledger_retention_months
            )
        self._latest = None if redis == NONE else LatestScores(redis, settings.redis_ttl_seconds)
        self._stored = None
        if (address := settings.online_store.get_secret_value()) != NONE:
            contract, limit = self.pool.production.contract, settings.max_feature_age_seconds
            self._stored = StoredFields(address, contract, limit)
        served = self.pool.production
        self._inputs = input_lines(
            settings, served.contract, served.name, self._shared_metrics, source="stream"
        )
        self._stop = threading.Event()
        self._progress_at = time.monotonic()
        self._checked_at = 0.0
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._transport = "streams" if settings.transport == "redis" else "kafka"
        self._faults: dict[str, str] = {
            self._transport: "The worker has not been in the group yet."
        }

    def stop(self) -> None:
        """Makes it finish the current batch and end."""
        self._stop.set()

    def alive(self) -> bool:
        """Returns whether it still makes progress."""
        return time.monotonic() - self._progress_at < self._settings.stall_seconds

    def ready(self) -> dict[str, Any]:
        """Returns the answer of /readyz."""
        reasons = dict(self._faults)
        if self._stop.is_set():
            reasons["draining"] = "The worker is about to stop."
        return self.pool.readiness(reasons)

    def run(self) -> None:
        """Works until it is stopped; a session that fails is followed by another one.

        Raises:
            PermanentError: no other session would do better.
        """
        try:
            self._run_sessions()
        finally:
            if self._ledger is not None:
                self._ledger.close()
            if self._latest is not None:
                self._latest.close()
            if self._stored is not None:
                self._stored.close()

    def _run_sessions(self) -> None:
        while not self._stop.is_set():
            session = None
            try:
                session = open_session(self._settings)
                self.metrics.sessions.inc()
                log("info", "connected")
                self._work(session)
            except StopRequested:
                log("warning", "stopped_in_a_batch")
            except SessionError as error:
                self._record_failure(self._transport, str(error))
            finally:
                if session is not None:
                    session.close()
            self._wait()

    def _work(self, session: Session) -> None:
        self._checked_at = time.monotonic() - _CHECK_SECONDS
        while not self._stop.is_set():
            messages = session.poll(_POLL_SECONDS)
            self._progress_at = began = time.monotonic()
            if messages:
                self._process(session, messages)
                self.metrics.batch_seconds.observe(time.monotonic() - began)
            self._rotate()
            self._check_brokers(session)

    def _process(self, session: Session, messages: list[Message]) -> None:
        recorded: dict[str, Prediction] = {}
        self._retry_until_done(
            session, "ledger", InputError, lambda: recorded.update(self._recorded(messages))
        )
        scored: list[ScoredBatch] = []
        self._retry_until_done(
            session,
            "online_store",
            OnlineStoreError,
            lambda: scored.append(self._score(messages, recorded)),
        )
        (batch,) = scored
        if self._stored is not None:
            self._retry_until_done(session, "online_store", InputError, self._stored.write)
        for _, part in by_month(batch.predictions):
            self._retry_until_done(session, "ledger", InputError, partial(self._write_ledger, part))
        if self._inputs is not None:
            self._inputs.write((each.at, each.row) for each in batch.scored)
        self._retry_until_done(
            session, "redis", LatestScoresError, lambda: self._write_latest(batch)
        )
        session.send(batch)
        self._progress_at = time.monotonic()
        if not session.commit():
            self.metrics.repeated.inc(len(messages))
            log("warning", "commit_refused", messages=len(messages))
            return
        self.metrics.scored.inc(len(batch.scored))
        if batch.rejected:
            for _, rejection in batch.rejected:
                self.metrics.rejected.labels(rejection.kind).inc()
            kinds = sorted({rejection.kind for _, rejection in batch.rejected})
            first = batch.rejected[0][0]
            log("warning", "rejected", messages=len(batch.rejected), kinds=kinds,
                partition=first.partition, offset=first.offset)  # fmt: skip

    def _recorded(self, messages: list[Message]) -> dict[str, Prediction]:
        """What the ledger has answered to these messages, by a worker that was killed before its commit."""
        if self._ledger is None:
            return {}
        ids = [each.prediction_id for each in messages]
        since = min(each.recorded for each in messages)
        found = self._ledger.recorded(ids, datetime.now(UTC), since)
        return {each.prediction_id: each for each in found if each.role != "shadow"}

    def _score(self, messages: list[Message], recorded: Mapping[str, Prediction]) -> ScoredBatch:
        limit = self._settings.max_message_bytes
        return score_messages(messages, self.pool, limit, self._stored, recorded)

    def _write_ledger(self, predictions: Sequence[Prediction]) -> None:
        if self._ledger is not None:
            self._rotate()
            self._ledger.record(predictions)
            self._shared_metrics.increment("ledger_written", len(predictions))

    def _rotate(self) -> None:
        if self._rotation is not None:
            self._rotation.run_if_due()

    def _write_latest(self, batch: ScoredBatch) -> None:
        if self._latest is not None:
            self._latest.write(batch.scored)

    def _retry_until_done(
        self, session: Session, part: str, error: type[Exception], work: Callable[[], None]
    ) -> None:
        """Tries again until the work is done.

        Raises:
            StopRequested: the worker is to stop before it is done.
        """
        while True:
            try:
                work()
            except error as reason:
                self._record_failure(part, str(reason))
            else:
                self._record_recovery(part)
                return
            with suppress(SessionError):  # the commit will meet it
                self.metrics.waiting.set(session.count_waiting())
            self._wait()
            if self._stop.is_set():
                raise StopRequested

    def _check_brokers(self, session: Session) -> None:
        """Every few seconds: counts what waits, and checks that the brokers still answer.

        Raises:
            SessionError: they do not.
        """
        since = time.monotonic() - self._checked_at
        if since < _CHECK_SECONDS:
            return
        self.metrics.partitions.set(session.partitions)
        if session.is_member:
            self._checked_at = time.monotonic()
            self.metrics.waiting.set(session.count_waiting())
            self.metrics.lost.inc(session.count_lost())
            self._record_recovery(self._transport)
        elif since > _JOIN_SECONDS:
            self._checked_at = time.monotonic() - _CHECK_SECONDS
            self._record_failure(self._transport, "The group has not taken the worker in.")

    def _record_failure(self, part: str, reason: str) -> None:
        self.metrics.failures.labels(part).inc()
        if part == "ledger":
            self._shared_metrics.increment("ledger_failures")
        if self._faults.get(part) != reason:
            log("error", f"{part}_failed", reason=reason)
        self._faults = self._faults | {part: reason}

    def _record_recovery(self, part: str) -> None:
        if part in self._faults:
            log("info", f"{part}_well")
            self._faults = {name: why for name, why in self._faults.items() if name != part}
            self._pause_seconds = _FIRST_PAUSE_SECONDS

    def _wait(self) -> None:
        self._progress_at = time.monotonic()
        self._stop.wait(self._pause_seconds)
        self._pause_seconds = min(2 * self._pause_seconds, _LONGEST_PAUSE_SECONDS)
        self._progress_at = time.monotonic()  # to wait is not to hang
