"""One connection to the brokers: reads as a member of the group, writes, and commits.

A session that fails is closed and another one opened, which begins after the last commit. So a
message is read again rather than lost.
"""

from __future__ import annotations

from contextlib import suppress
from time import time
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition  # type: ignore[import-untyped]
from kafka.errors import (  # type: ignore[import-untyped]
    CommitFailedError,
    KafkaError,
    KafkaTimeoutError,
    RebalanceInProgressError,
)
from kafka.structs import MemberState, OffsetAndMetadata  # type: ignore[import-untyped]

from service.stream.message_scoring import ScoredBatch
from service.stream.messages import Message, Rejection
from service.stream.stream_settings import StreamSettings

SessionError = KafkaError
"""Raised by every method if the session is over; open another one."""

ANSWER_SECONDS = 10
DELIVERY_SECONDS = 20
_BOOTSTRAP_SECONDS = 5
_OFFSETS_SECONDS = 2
CLOSE_SECONDS = 5
_LONGEST_REASON = 2_000  # characters

Offsets = dict[TopicPartition, OffsetAndMetadata]


class KafkaSession:
    """A consumer in the group and an idempotent producer that waits for all replicas."""

    def __init__(self, settings: StreamSettings) -> None:
        """Connects to the brokers.

        Raises:
            SessionError: no broker answers, or the input topic does not exist.
        """
        self._settings = settings
        common = _connection_options(settings)
        self._consumer: Any = _consumer(settings, common)
        self._producer: Any = None
        try:
            # Before subscribing: a topic that is created later would be noticed after minutes.
            if not self._consumer.partitions_for_topic(settings.input_topic):
                raise KafkaError(  # noqa: TRY301 - the session is closed below
                    f"The topic {settings.input_topic} is not there. Make it, or set "
                    "CHURN_INPUT_TOPIC."
                )
            self._consumer.subscribe([settings.input_topic])
            self._producer = KafkaProducer(
                **common,
                acks="all",
                enable_idempotence=True,
                linger_ms=5,
                max_block_ms=ANSWER_SECONDS * 1000,
                delivery_timeout_ms=DELIVERY_SECONDS * 1000,
            )
        except BaseException:
            self.close()
            raise

    @property
    def is_member(self) -> bool:
        """Whether the group has taken this worker in and assigned it partitions, maybe none."""
        return bool(self._consumer.group_metadata().state is MemberState.STABLE)

    @property
    def partitions(self) -> int:
        """How many partitions this worker has."""
        return len(self._consumer.assignment())

    def poll(self, seconds: float) -> tuple[list[Message], Offsets]:
        """Returns the next messages, in the order of each partition, and what to commit after them.

        Raises:
            SessionError: this session is over.
        """
        messages: list[Message] = []
        offsets: Offsets = {}
        for partition, records in self._consumer.poll(timeout_ms=round(seconds * 1000)).items():
            messages.extend(
                Message(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value)
                for r in records
            )
            offsets[partition] = OffsetAndMetadata(records[-1].offset + 1, "", -1)
        return messages, offsets

    def send(self, batch: ScoredBatch) -> None:
        """Writes scores and rejections, and returns when all replicas have them.

        Raises:
            SessionError: not all of them were written; those that were may be written again.
        """
        sent = [
            self._producer.send(
                self._settings.output_topic, key=scored.customer.encode(), value=scored.value
            )
            for scored in batch.scored
        ]
        sent += [self._reject(message, rejection) for message, rejection in batch.rejected]
        self._producer.flush(timeout=DELIVERY_SECONDS + ANSWER_SECONDS)
        for future in sent:
            if not future.succeeded():
                raise future.exception or KafkaTimeoutError("a message was not acknowledged")

    def commit(self, offsets: Offsets) -> bool:
        """Commits that all below these offsets is done, and returns whether the group accepts it.

        It does not if the partitions were assigned to another worker, which then reads the messages
        again.

        Raises:
            SessionError: this session is over.
        """
        try:
            self._consumer.commit(offsets, timeout_ms=ANSWER_SECONDS * 1000)
        except (CommitFailedError, RebalanceInProgressError):
            return False
        return True

    def waiting(self) -> int:
        """Returns how many messages of this worker's partitions are not read yet.

        Raises:
            SessionError: no broker answers.
        """
        assigned = self._consumer.assignment()
        if not assigned:
            return 0
        ends = self._consumer.end_offsets(list(assigned), timeout_ms=_OFFSETS_SECONDS * 1000)
        total = 0
        for partition, end in ends.items():
            position = self._consumer.position(partition, timeout_ms=_OFFSETS_SECONDS * 1000)
            total += max(0, end - (position or 0))
        return total

    def close(self) -> None:
        """Leaves the group; what was not committed is read again by another worker."""
        if self._producer is not None:
            with suppress(KafkaError):
                self._producer.close(timeout=CLOSE_SECONDS)
        with suppress(KafkaError):
            self._consumer.close(autocommit=False, timeout_ms=CLOSE_SECONDS * 1000)

    def _reject(self, message: Message, rejection: Rejection) -> Any:
        """Sends the message as it was read, with the reason in its headers."""
        keep_bytes = message.size <= self._settings.max_message_bytes
        reason = str(rejection)[:_LONGEST_REASON]
        headers = {
            "churn-reason": reason,
            "churn-kind": rejection.kind,
            "churn-field": rejection.field,
            "churn-topic": message.topic,
            "churn-partition": str(message.partition),
            "churn-offset": str(message.offset),
            "churn-rejected-at": f"{time():.3f}",
        }
        return self._producer.send(
            self._settings.dead_letter_topic,
            key=message.key if keep_bytes else None,
            value=(message.value if keep_bytes else None) or b"",
            headers=[(n, text.encode("utf-8", "backslashreplace")) for n, text in headers.items()],
        )


def _consumer(settings: StreamSettings, common: dict[str, Any]) -> KafkaConsumer:
    try:
        return KafkaConsumer(
            **common,
            group_id=settings.group,
            group_instance_id=settings.instance,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_records=settings.batch_messages,
            session_timeout_ms=round(settings.session_seconds * 1000),
            heartbeat_interval_ms=round(min(3.0, settings.session_seconds / 3) * 1000),
        )
    except KafkaTimeoutError:
        servers = ", ".join(settings.kafka_servers)
        raise KafkaError(
            f"No broker answers at {servers}. Start one, or set CHURN_KAFKA_SERVERS."
        ) from None


def _connection_options(settings: StreamSettings) -> dict[str, Any]:
    options: dict[str, Any] = {
        "bootstrap_servers": list(settings.kafka_servers),
        "client_id": "churn-stream",
        "security_protocol": settings.kafka_security,
        "request_timeout_ms": ANSWER_SECONDS * 1000,
        "bootstrap_timeout_ms": _BOOTSTRAP_SECONDS * 1000,
        "reconnect_backoff_max_ms": 2_000,
        "metrics_enabled": False,
    }
    if settings.kafka_ca_file is not None:
        options["ssl_cafile"] = settings.kafka_ca_file
    if settings.kafka_security.startswith("SASL"):
        password = settings.kafka_password
        options |= {
            "sasl_mechanism": settings.kafka_mechanism,
            "sasl_plain_username": settings.kafka_user,
            "sasl_plain_password": password.get_secret_value() if password else None,
        }
    return options
