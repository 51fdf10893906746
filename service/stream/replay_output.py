"""Where replayed scores go: a topic of their own, and ledger and Redis if that was asked for."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any

from kafka.errors import KafkaError, KafkaTimeoutError  # type: ignore[import-untyped]

from churn.errors import ChurnError, InputError, error_reason
from churn.ledger.months import by_month
from churn.ledger.predictions import PredictionLedger
from service.core.environment_settings import NONE
from service.stream.kafka_clients import ANSWER_SECONDS, DELIVERY_SECONDS, open_producer
from service.stream.latest_scores import LatestScores, LatestScoresError
from service.stream.message_scoring import ScoredBatch
from service.stream.outgoing_messages import outgoing_messages
from service.stream.stream_settings import StreamSettings

SOURCE = "replay"
"""Of the ledger's rows."""


class ReplayOutput:
    """The topic, the ledger and the Redis of one replay."""

    def __init__(
        self, settings: StreamSettings, topic: str, *, ledger: bool, redis: bool, closing: ExitStack
    ) -> None:
        """Connects to the brokers; `closing` closes everything.

        Raises:
            InputError: ledger or Redis is asked for and not set, or the topic does not exist.
            KafkaError: no broker answers.
        """
        self._settings = settings.model_copy(update={"output_topic": topic})
        self._ledger = self._latest = None
        if ledger:
            address = _required("--ledger", "CHURN_LEDGER", settings.ledger.get_secret_value())
            self._ledger = PredictionLedger(address, max_bytes=settings.ledger_max_bytes)
            closing.callback(self._ledger.close)
        if redis:
            address = _required("--redis", "CHURN_REDIS", settings.redis.get_secret_value())
            self._latest = LatestScores(address, settings.redis_ttl_seconds)
            closing.callback(self._latest.close)
        self._producer: Any = open_producer(settings)
        closing.callback(self._producer.close, 0)
        with suppress(KafkaTimeoutError):
            if self._producer.partitions_for(topic):  # brokers may create it
                return
        raise InputError(f"The topic '{topic}' does not exist. Create it, or name another one.")

    def write(self, batch: ScoredBatch) -> None:
        """Writes the scores of a batch, and returns when all of them are kept.

        Raises:
            KafkaError: the brokers do not take one.
            ChurnError: ledger or Redis cannot be written.
        """
        futures = [
            self._producer.send(each.topic, key=each.key, value=each.value, headers=each.headers)
            for each in outgoing_messages(replace(batch, rejected=[]), self._settings)
        ]
        with suppress(KafkaError):  # each future has its own
            self._producer.flush(DELIVERY_SECONDS + ANSWER_SECONDS)
        for each in futures:
            each.get(ANSWER_SECONDS)
        if self._ledger is not None:
            for _, part in by_month(batch.predictions):
                self._ledger.record([each._replace(source=SOURCE) for each in part])
        if self._latest is not None:
            try:
                self._latest.write(batch.scored)
            except LatestScoresError as error:
                raise ChurnError(
                    f"Redis cannot be written: {error_reason(error)}. The same command writes the "
                    "rest once it can."
                ) from None


def _required(option: str, setting: str, address: str) -> str:
    if address == NONE:
        raise InputError(
            f"{option} needs {setting}, and it is '{NONE}'. Set it, or leave {option} out."
        )
    return address
