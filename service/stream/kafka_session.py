"""One connection to the brokers: reads as a member of the group, writes, and commits.

What a batch writes and its commit are one transaction, where the brokers have them. A session that
fails is closed and another one opened, which begins after the last commit. So a message is read again
rather than lost. What no other session would mend is a `PermanentError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, suppress
from threading import Thread
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition  # type: ignore[import-untyped]
from kafka.errors import (  # type: ignore[import-untyped]
    CommitFailedError,
    KafkaError,
    KafkaTimeoutError,
    RebalanceInProgressError,
    TransactionalIdAuthorizationFailedError,
    UnsupportedVersionError,
)
from kafka.structs import MemberState, OffsetAndMetadata  # type: ignore[import-untyped]

from service.core.log import log
from service.stream.kafka_clients import (
    ANSWER_SECONDS,
    DELIVERY_SECONDS,
    message_of,
    open_consumer,
    open_producer,
    open_reader,
)
from service.stream.kafka_errors import absent_topic, describe_permanent, passes
from service.stream.message_scoring import ScoredBatch
from service.stream.messages import Message
from service.stream.next_offsets import NextOffsets
from service.stream.outgoing_messages import OutgoingMessage, outgoing_messages
from service.stream.session import PROCESS, SessionError
from service.stream.stream_settings import StreamSettings

_OFFSETS_SECONDS = 2
CLOSE_SECONDS = 5
TRANSACTION_SECONDS = 60
"""After which the brokers end the transaction of a worker that was killed, if its name does not return."""

Offsets = dict[TopicPartition, OffsetAndMetadata]


class KafkaSession:
    """A consumer in the group and an idempotent producer that waits for all replicas."""

    def __init__(self, settings: StreamSettings) -> None:
        """Connects to the brokers.

        Raises:
            SessionError: no broker answers.
            PermanentError: a topic does not exist, or the brokers refuse this worker.
        """
        self._settings = settings
        self._read = 0
        self._after: Offsets = {}
        self._member: Any = None
        """This worker in the group when it read what it will commit."""
        self._producer: Any = None
        self._next = NextOffsets(lambda partition: self._starts([partition])[partition])
        with self._ending("The worker cannot use the brokers"):
            self._consumer: Any = open_consumer(settings)
            try:
                self._producer, self._transactional = _open_writer(settings)
                # Before subscribing: a topic that is created later would be noticed after minutes.
                self._require(settings.input_topic)
                self._require(settings.output_topic, may_create=True)
                self._require(settings.dead_letter_topic, may_create=True)
                self._consumer.subscribe([settings.input_topic])
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

    def poll(self, seconds: float) -> list[Message]:
        """Returns the next messages, in the order of each partition.

        Raises:
            SessionError: this session is over.
            PermanentError: the next messages cannot be read, or must not be.
        """
        try:
            polled = self._consumer.poll(timeout_ms=round(seconds * 1000))
            self._follow_offsets(polled)
        except Exception as error:  # what decompresses a batch raises errors of its own
            if passes(error):
                raise _over(error) from error
            place, what = self._find_unreadable(), "Messages cannot be read"
            raise describe_permanent(what, error, self._settings, **place) from None
        messages: list[Message] = []
        for partition, records in polled.items():
            messages.extend(map(message_of, records))
            self._after[partition] = OffsetAndMetadata(records[-1].offset + 1, "", -1)
        self._read += len(messages)
        self._member = self._consumer.group_metadata()
        return messages

    def _follow_offsets(self, polled: Mapping[Any, Any]) -> None:
        if new := self._next.keep(self._consumer.assignment()):
            starts = self._starts(new)
            ends = self._consumer.end_offsets(new, timeout_ms=ANSWER_SECONDS * 1000)
            for each in new:
                committed = self._consumer.committed(each, timeout_ms=ANSWER_SECONDS * 1000)
                self._next.begin(each, committed, starts[each], ends[each])
        for partition, records in polled.items():
            self._next.read(partition, [each.offset for each in records])

    def _starts(self, partitions: Any) -> Any:
        return self._consumer.beginning_offsets(partitions, timeout_ms=ANSWER_SECONDS * 1000)

    def send(self, batch: ScoredBatch) -> None:
        """Writes scores and rejections, and returns when all replicas have them; `commit` follows.

        Raises:
            SessionError: not all of them were written; those that were may be written again.
            PermanentError: the brokers refuse one of them and will again.
        """
        sent = []
        if self._transactional:
            with self._ending("The worker cannot use the brokers"):
                self._producer.begin_transaction()
        for each in outgoing_messages(batch, self._settings):
            with self._refusing(each):
                future = self._producer.send(
                    each.topic, key=each.key, value=each.value, headers=each.headers
                )
                sent.append((each, future))
        with suppress(KafkaError):  # it gives up where a batch is too large and written in two
            self._producer.flush(timeout=DELIVERY_SECONDS + ANSWER_SECONDS)
        for each, future in sent:
            with self._refusing(each):
                future.get(timeout=ANSWER_SECONDS)

    def commit(self) -> bool:
        """Commits what was read since the last commit, and returns whether the group accepts it.

        It does not if the partitions were assigned to another worker, which then reads the messages
        again.

        Raises:
            SessionError: this session is over.
            PermanentError: this worker must not commit.
        """
        after, self._after, self._read = self._after, {}, 0
        with self._ending("The group does not take the worker's commit"):
            try:
                if self._transactional:
                    self._commit_transaction(after)
                else:
                    self._consumer.commit(after, timeout_ms=ANSWER_SECONDS * 1000)
            except (CommitFailedError, RebalanceInProgressError):
                if self._transactional:
                    _within(ANSWER_SECONDS, self._producer.abort_transaction)
                return False
        return True

    def _commit_transaction(self, offsets: Offsets) -> None:
        member = self._member
        # Who has left the group meanwhile, as after five minutes without a poll, has no generation any
        # more, and Kafka accepts the commit of a member without one unchecked.
        if member.generation_id < 0:
            raise CommitFailedError
        # The client itself would wait for the brokers without end.
        _within(
            ANSWER_SECONDS,
            lambda: self._producer.send_offsets_to_transaction(offsets, member),
        )
        _within(ANSWER_SECONDS, self._producer.commit_transaction)

    def count_waiting(self) -> int | None:
        """Returns how many messages of this worker's partitions are not done yet; None if unknown.

        Raises:
            SessionError: no broker answers.
        """
        try:
            return self._count_waiting()
        except KafkaError as error:
            raise _over(error) from error

    def _count_waiting(self) -> int | None:
        assigned = self._consumer.assignment()
        if not assigned:
            return 0
        ends = self._consumer.end_offsets(list(assigned), timeout_ms=_OFFSETS_SECONDS * 1000)
        total = self._read
        for partition, end in ends.items():
            position = self._consumer.position(partition, timeout_ms=_OFFSETS_SECONDS * 1000)
            if position is None:
                return None
            total += max(0, end - position)
        return total

    def count_lost(self) -> int:
        """Returns how many messages were deleted before they were read, since the last call."""
        return self._next.count_lost()

    def close(self) -> None:
        """Leaves the group; what was not committed is read again by another worker."""
        if self._producer is not None:
            with suppress(KafkaError):
                self._producer.close(timeout=CLOSE_SECONDS)
        with suppress(KafkaError):
            self._consumer.close(autocommit=False, timeout_ms=CLOSE_SECONDS * 1000)

    def _require(self, topic: str, *, may_create: bool = False) -> None:
        """Sees that a topic exists; brokers that create topics on request may create it.

        Raises:
            PermanentError: it does not exist.
            KafkaError: this worker must not use it.
        """
        if self._consumer.partitions_for_topic(topic):
            return
        with suppress(KafkaTimeoutError):
            if may_create and self._producer.partitions_for(topic):
                return
        raise absent_topic(topic)

    def _find_unreadable(self) -> dict[str, Any]:
        """Returns the place of the batch that cannot be read; empty if that is not known.

        An error does not say which partition it is about, so each is read alone.
        """
        with suppress(KafkaError):
            partitions = sorted(self._consumer.assignment())
            ends = self._consumer.end_offsets(partitions, timeout_ms=_OFFSETS_SECONDS * 1000)
            for partition in partitions:
                offset = self._consumer.position(partition, timeout_ms=_OFFSETS_SECONDS * 1000)
                if offset is not None and offset < ends[partition]:
                    reader = open_reader(self._settings)
                    try:
                        _read_one(reader, partition, offset)
                    except Exception:  # noqa: BLE001 - as above: of any library
                        topic, number = partition
                        return {"topic": topic, "partition": number, "offset": offset}
                    finally:
                        reader.close()
        return {}

    @contextmanager
    def _ending(self, what: str, **place: Any) -> Iterator[None]:
        """Makes an error that no other session would mend a `PermanentError`."""
        try:
            yield
        except KafkaError as error:
            if passes(error):
                raise _over(error) from error
            raise describe_permanent(what, error, self._settings, **place) from None

    def _refusing(self, message: OutgoingMessage) -> AbstractContextManager[None]:
        source = message.source
        return self._ending(
            f"The brokers refuse a message for '{message.topic}'",
            topic=source.topic,
            partition=source.partition,
            offset=source.offset,
        )


def _over(error: BaseException) -> SessionError:
    if isinstance(error, KafkaTimeoutError) and not any(error.args):
        return SessionError("The brokers did not answer in time.")
    return SessionError(str(error).removeprefix("KafkaError: "))


def transactional_id(settings: StreamSettings) -> str:
    """Returns the name of this worker's transactions: after a crash the same, where the worker has one.

    Then the transaction that it left open ends at once.
    """
    return f"{settings.group}-{settings.instance or PROCESS}"


def _open_writer(settings: StreamSettings) -> tuple[KafkaProducer, bool]:
    """Returns a producer, and whether it writes in transactions."""
    if not settings.transactions:
        return open_producer(settings), False
    producer = open_producer(
        settings,
        transactional_id=transactional_id(settings),
        transaction_timeout_ms=TRANSACTION_SECONDS * 1000,
    )
    try:
        producer.init_transactions()
    except (TransactionalIdAuthorizationFailedError, UnsupportedVersionError) as error:
        producer.close(timeout=CLOSE_SECONDS)
        log("warning", "no_transactions", reason=type(error).__name__)
        return open_producer(settings), False
    except BaseException:
        producer.close(timeout=CLOSE_SECONDS)
        raise
    return producer, True


def _within(seconds: float, call: Callable[[], None]) -> None:
    """Makes a call that may never return.

    Raises:
        KafkaTimeoutError: it takes longer.
    """
    result: Future[None] = Future()

    def run() -> None:
        try:
            call()
            result.set_result(None)
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            result.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        result.result(seconds)
    except TimeoutError:
        raise KafkaTimeoutError(f"The brokers did not answer within {seconds:g} seconds.") from None


def _read_one(reader: KafkaConsumer, partition: TopicPartition, offset: int) -> None:
    reader.assign([partition])
    reader.seek(partition, offset)
    reader.poll(timeout_ms=_OFFSETS_SECONDS * 1000, max_records=1)
