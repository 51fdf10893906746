"""What the worker needs of a transport: one connection that reads, writes and commits batches."""

from __future__ import annotations

from typing import Protocol

from churn.errors import ChurnError
from service.stream.message_scoring import ScoredBatch
from service.stream.messages import Message, Place
from service.stream.stream_settings import StreamSettings


class SessionError(Exception):
    """The session is over; open another one, which begins after the last commit."""


class PermanentError(ChurnError):
    """An error that waiting does not mend.

    Attributes:
        place: topic, partition and offset of the message it is about, as far as known.
    """

    def __init__(self, reason: str, **place: Place) -> None:
        super().__init__(reason)
        self.place = place


class Session(Protocol):
    """One connection. Every method may raise `SessionError` or `PermanentError`."""

    @property
    def is_member(self) -> bool:
        """Whether the group has taken this worker in."""

    @property
    def partitions(self) -> int:
        """How many partitions this worker has."""

    def poll(self, seconds: float) -> list[Message]:
        """Returns the next messages, in the order of each partition."""

    def send(self, batch: ScoredBatch) -> None:
        """Writes scores and rejections; `commit` follows."""

    def commit(self) -> bool:
        """Commits what was read since the last commit, and returns whether the group accepts it.

        It does not if the messages are another worker's by now, which then reads them again.
        """

    def count_waiting(self) -> int | None:
        """Returns how many messages are not done yet; None if unknown."""

    def close(self) -> None:
        """Leaves the group; what was not committed is read again by another worker."""


def open_session(settings: StreamSettings) -> Session:
    """Returns a session of the transport that the settings name.

    Raises:
        SessionError: nobody answers.
        PermanentError: waiting would not mend it.
    """
    # Here and not above: each needs a client that the others do not.
    if settings.transport == "redis":
        from service.stream.redis_session import RedisSession

        return RedisSession(settings)
    if settings.transport == "confluent":
        try:
            from service.stream.confluent_session import ConfluentSession
        except ImportError:
            raise PermanentError(
                "CHURN_TRANSPORT=confluent needs confluent-kafka, which is not installed. Run `pip "
                "install confluent-kafka`, or leave CHURN_TRANSPORT out."
            ) from None

        return ConfluentSession(settings)
    from service.stream.kafka_session import KafkaSession

    return KafkaSession(settings)
