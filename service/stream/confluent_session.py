"""A session by confluent-kafka, which speaks the protocol in C: the same topics for a fraction of the CPU.

It guarantees what `kafka_session` does, whose errors and settings it shares.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka import KafkaError as ConfluentError
from kafka import errors as kafka_errors  # type: ignore[import-untyped]

from service.core.log import log
from service.stream.kafka_clients import ANSWER_SECONDS, DELIVERY_SECONDS
from service.stream.kafka_errors import (
    absent_topic,
    certificate_error,
    describe_permanent,
    passes,
)
from service.stream.kafka_session import CLOSE_SECONDS, TRANSACTION_SECONDS, transactional_id
from service.stream.message_scoring import ScoredBatch
from service.stream.messages import Message
from service.stream.next_offsets import NextOffsets, Partition
from service.stream.outgoing_messages import OutgoingMessage, outgoing_messages
from service.stream.session import SessionError
from service.stream.stream_settings import StreamSettings

_OFFSETS_SECONDS = 2
_SILENT = logging.getLogger("librdkafka")
_OF_BEFORE = {
    ConfluentError.ILLEGAL_GENERATION,
    ConfluentError.UNKNOWN_MEMBER_ID,
    ConfluentError.REBALANCE_IN_PROGRESS,
}
"""Refusals of a member whose partitions another one has by now."""
_LOCAL = {
    ConfluentError._AUTHENTICATION: kafka_errors.SaslAuthenticationFailedError,
    ConfluentError._BAD_MSG: kafka_errors.CorruptRecordError,
    ConfluentError._BAD_COMPRESSION: kafka_errors.CorruptRecordError,
    ConfluentError._UNSUPPORTED_FEATURE: kafka_errors.UnsupportedVersionError,
    ConfluentError._NOT_IMPLEMENTED: kafka_errors.UnsupportedCodecError,
}
"""Errors of the client itself that waiting does not mend; all its others pass."""


class ConfluentSession:
    """A consumer in the group and a producer that waits for all replicas."""

    def __init__(self, settings: StreamSettings) -> None:
        """Connects to the brokers.

        Raises:
            SessionError: no broker answers.
            PermanentError: a topic does not exist, or the brokers refuse this worker.
        """
        _SILENT.setLevel(logging.CRITICAL + 1)
        self._settings = settings
        self._read: dict[tuple[str, int], int] = {}
        self._count = 0
        self._failure: ConfluentError | None = None
        self._is_away = False  # no broker answers; one of several that is down is no failure
        self._member: Any = None
        """This worker in the group when it read what it will commit; None if it was in none."""
        self._revoked = False
        self._next = NextOffsets(lambda partition: self._bounds(partition)[0])
        self._transactional = False
        self._consumer = Consumer(self._options() | _consumer_options(settings), logger=_SILENT)
        try:
            with self._ending("The worker cannot use the brokers"):
                self._require(settings.input_topic)
                self._producer = self._open_producer()
                self._require(settings.output_topic, may_create=True)
                self._require(settings.dead_letter_topic, may_create=True)
                self._consumer.subscribe([settings.input_topic], on_revoke=self._note_revoked)
        except BaseException:
            self._consumer.close()
            raise

    @property
    def is_member(self) -> bool:
        """Whether the group has taken this worker in."""
        return bool(self._consumer.memberid())

    @property
    def partitions(self) -> int:
        """How many partitions this worker has."""
        return len(self._consumer.assignment())

    def poll(self, seconds: float) -> list[Message]:
        """Returns the next messages, in the order of each partition."""
        first = self._consumer.poll(seconds)
        self._begin_partitions()
        if first is None:
            self._require_no_failure()
            return []
        self._revoked = False
        # Without a timeout: to wait for a whole batch would hold back the first of it.
        read: list[Any] = self._consumer.consume(self._settings.batch_messages - 1, 0)
        if not self._revoked:  # else the first is another worker's, or will be read again
            read.insert(0, first)
        messages = []
        offsets: dict[Partition, list[int]] = {}
        for each in read:
            if (error := each.error()) is not None:
                self._raise("Messages cannot be read", error, **_place(each))
            offsets.setdefault((each.topic(), each.partition()), []).append(each.offset())
            messages.append(
                Message(
                    each.topic(), each.partition(), each.offset(), each.timestamp()[1], each.key(),
                    each.value(), tuple(each.headers() or ()),
                )
            )  # fmt: skip
        for partition, those in offsets.items():
            self._next.read(partition, those)
            self._read[partition] = those[-1] + 1
        self._failure, self._is_away = None, False
        self._count += len(messages)
        member = self._consumer.consumer_group_metadata()
        self._member = member if self.is_member else None
        return messages

    def _begin_partitions(self) -> None:
        assigned = ((each.topic, each.partition) for each in self._consumer.assignment())
        new = [TopicPartition(*each) for each in self._next.keep(assigned)]
        with self._ending("The group's commits cannot be read"):
            for each in self._consumer.committed(new, ANSWER_SECONDS) if new else ():
                if each.error is not None:
                    raise KafkaException(each.error)
                place = (each.topic, each.partition)
                committed = each.offset if each.offset >= 0 else None
                self._next.begin(place, committed, *self._bounds(place))

    def _bounds(self, partition: Partition, seconds: float = ANSWER_SECONDS) -> tuple[int, int]:
        """A partition's oldest offset, and its next one."""
        with self._ending("A topic's offsets cannot be read"):
            found = self._consumer.get_watermark_offsets(TopicPartition(*partition), seconds)
        if found is None:
            raise SessionError("The brokers did not say a topic's offsets in time.")
        low, high = found
        return low, high

    def send(self, batch: ScoredBatch) -> None:
        """Writes scores and rejections, and returns when all replicas have them; `commit` follows."""
        refused: list[tuple[OutgoingMessage, ConfluentError]] = []
        with self._ending("The worker cannot use the brokers"):
            if self._transactional:
                self._producer.begin_transaction()
        for each in outgoing_messages(batch, self._settings):

            def delivered(error: ConfluentError | None, _: Any, of: OutgoingMessage = each) -> None:
                if error is not None:
                    refused.append((of, error))

            self._produce(each, delivered)
        with self._ending("The brokers do not take the worker's messages"):
            left = self._producer.flush(DELIVERY_SECONDS + ANSWER_SECONDS)
        for message, error in refused:
            source = message.source
            self._raise(
                f"The brokers refuse a message for '{message.topic}'", error,
                topic=source.topic, partition=source.partition, offset=source.offset,
            )  # fmt: skip
        if left:
            raise SessionError("The brokers did not take all messages in time.")

    def commit(self) -> bool:
        """Commits what was read since the last commit, and returns whether the group accepts it."""
        after = [TopicPartition(*place, offset) for place, offset in self._read.items()]
        self._read, self._count = {}, 0
        with self._ending("The group does not take the worker's commit"):
            try:
                if self._transactional:
                    if self._member is None:  # Kafka would accept its commit unchecked
                        self._producer.abort_transaction(ANSWER_SECONDS)
                        return False
                    self._producer.send_offsets_to_transaction(after, self._member, ANSWER_SECONDS)
                    self._producer.commit_transaction(ANSWER_SECONDS)
                elif after:
                    self._commit_alone(after)
            except KafkaException as error:
                if error.args[0].code() not in _OF_BEFORE:
                    raise
                if self._transactional:
                    self._producer.abort_transaction(ANSWER_SECONDS)
                return False
        return True

    def _commit_alone(self, after: list[TopicPartition]) -> None:
        for done in self._consumer.commit(offsets=after, asynchronous=False):
            if done.error is not None:
                raise KafkaException(done.error)

    def count_waiting(self) -> int | None:
        """Returns how many messages of this worker's partitions are not done yet; None if unknown."""
        self._require_no_failure()
        total = self._count
        with self._ending("What waits cannot be counted"):
            for place in self._consumer.assignment():
                low, high = self._bounds((place.topic, place.partition), _OFFSETS_SECONDS)
                (position,) = self._consumer.position([place])
                if position.offset < 0:  # nothing of it was read yet
                    (position,) = self._consumer.committed([place], _OFFSETS_SECONDS)
                total += max(0, high - (position.offset if position.offset >= 0 else low))
        return total

    def count_lost(self) -> int:
        """Returns how many messages were deleted before they were read, since the last call."""
        return self._next.count_lost()

    def close(self) -> None:
        """Leaves the group; what was not committed is read again by another worker."""
        if self._transactional:
            with suppress(KafkaException):
                self._producer.abort_transaction(CLOSE_SECONDS)
        self._consumer.close()

    def _produce(self, message: OutgoingMessage, delivered: Any) -> None:
        while True:
            try:
                with self._ending(f"The brokers refuse a message for '{message.topic}'"):
                    self._producer.produce(
                        message.topic, message.value, message.key, headers=[*message.headers],
                        on_delivery=delivered,
                    )  # fmt: skip
            except BufferError:  # the client's queue is full
                with self._ending("The brokers do not take the worker's messages"):
                    self._producer.poll(0.1)
            else:
                return

    def _open_producer(self) -> Producer:
        settings = self._settings
        options = self._options() | {
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 5,
            "delivery.timeout.ms": DELIVERY_SECONDS * 1000,
        }
        if settings.transactions:
            named = {
                "transactional.id": transactional_id(settings),
                "transaction.timeout.ms": TRANSACTION_SECONDS * 1000,
            }
            producer = Producer(options | named, logger=_SILENT)
            try:
                producer.init_transactions(ANSWER_SECONDS)
            except KafkaException as error:
                kind = _kind(error.args[0])
                if kind not in {
                    kafka_errors.TransactionalIdAuthorizationFailedError,
                    kafka_errors.UnsupportedVersionError,
                }:
                    raise
                log("warning", "no_transactions", reason=kind.__name__)
            else:
                self._transactional = True
                return producer
        return Producer(options, logger=_SILENT)

    def _require(self, topic: str, *, may_create: bool = False) -> None:
        """Sees that a topic exists; brokers that create topics on request may create it."""
        client = self._producer if may_create else self._consumer
        for _ in range(ANSWER_SECONDS if may_create else 1):
            found = client.list_topics(topic, ANSWER_SECONDS).topics[topic]
            if found.partitions:
                return
            if found.error and not passes(_kind(found.error)()):
                raise KafkaException(found.error)
            if may_create:
                self._producer.poll(1)
        raise absent_topic(topic)

    def _options(self) -> dict[str, Any]:
        settings = self._settings
        options: dict[str, Any] = {
            "bootstrap.servers": ",".join(settings.kafka_servers),
            "client.id": "churn-stream",
            "security.protocol": settings.kafka_security,
            "socket.timeout.ms": ANSWER_SECONDS * 1000,
            "reconnect.backoff.max.ms": 2_000,
            "error_cb": self._note,
        }
        if settings.kafka_ca_file is not None:
            options["ssl.ca.location"] = str(settings.kafka_ca_file)
        if settings.kafka_certificate_file is not None:
            options["ssl.certificate.location"] = str(settings.kafka_certificate_file)
            options["ssl.key.location"] = str(settings.kafka_key_file)
        if settings.kafka_security.startswith("SASL"):
            password = settings.kafka_password
            options |= {
                "sasl.mechanism": settings.kafka_mechanism,
                "sasl.username": settings.kafka_user,
                "sasl.password": password.get_secret_value() if password else "",
            }
        return options

    def _note_revoked(self, *_: Any) -> None:
        self._revoked = True

    def _note(self, error: ConfluentError) -> None:
        """Keeps what the client meets on its own threads and does not raise."""
        if error.code() == ConfluentError._ALL_BROKERS_DOWN:
            self._is_away = True
            if self._failure is not None:
                return  # the reason is known
        self._failure = error

    def _require_no_failure(self) -> None:
        failure, is_away = self._failure, self._is_away
        self._failure, self._is_away = None, False
        if failure is not None and (is_away or not passes(_kind(failure)())):
            self._raise("The worker cannot use the brokers", failure)

    @contextmanager
    def _ending(self, what: str) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            self._raise(what, error.args[0])
        except SystemError as error:
            # What ends a producer is raised through the callbacks of its messages.
            cause: BaseException | None = error
            while cause is not None and not isinstance(cause, KafkaException):
                cause = cause.__cause__
            if cause is None:
                raise
            self._raise(what, cause.args[0])

    def _raise(self, what: str, error: ConfluentError, **place: Any) -> None:
        """Raises what an error means: no session would mend it, or another one may.

        Raises:
            SessionError: this session is over.
            PermanentError: so would every other be.
        """
        if error.code() < 0:  # the client tells more where it is polled, and this session is over
            with suppress(KafkaException, RuntimeError):
                self._consumer.poll(0)
        failure = self._failure
        if failure is not None and not passes(_kind(failure)()):
            error = failure  # a timeout hides that the brokers refuse the login
        known = _kind(error)(error.str())
        if not passes(known):
            raise describe_permanent(what, known, self._settings, **place) from None
        if error.code() in {ConfluentError._TRANSPORT, ConfluentError._ALL_BROKERS_DOWN}:
            servers = ", ".join(self._settings.kafka_servers)
            why = (failure or error).str()
            raise SessionError(
                f"No broker answers at {servers} ({why}). Start one, or set CHURN_KAFKA_SERVERS."
            ) from None
        raise SessionError(f"{error.name()}: {error.str()}") from None


def _consumer_options(settings: StreamSettings) -> dict[str, Any]:
    options: dict[str, Any] = {
        "group.id": settings.group,
        "session.timeout.ms": round(settings.session_seconds * 1000),
        "heartbeat.interval.ms": round(min(3.0, settings.session_seconds / 3) * 1000),
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
        "check.crcs": True,
    }
    if settings.instance is not None:
        options["group.instance.id"] = settings.instance
    return options


def _kind(error: ConfluentError) -> Any:
    """The class that kafka-python has for an error, whose advice and whether it passes are known."""
    code = error.code()
    if code > 0:
        return kafka_errors.for_code(code)
    if (kind := certificate_error(error.str())) is not None:  # under one code of several
        return kind
    return _LOCAL.get(code, kafka_errors.KafkaConnectionError)


def _place(message: Any) -> dict[str, Any]:
    place = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset()}
    return {name: value for name, value in place.items() if value is not None}
