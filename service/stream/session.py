"""What the worker needs of a transport: one connection that reads, writes and commits batches."""

from __future__ import annotations

from typing import Protocol
from uuid import uuid4

from churn.errors import ChurnError
from service.stream.message_scoring import ScoredBatch
from service.stream.messages import Message, Place

PROCESS = uuid4().hex
"""Tells this process from every other, of a container with the same host name, too."""


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

    def count_lost(self) -> int:
        """Returns how many messages were deleted before they were read, since the last call."""

    def close(self) -> None:
        """Leaves the group; what was not committed is read again by another worker."""
