"""What differs when messages are scored again: one version, ids of its own, and no store that changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from service.core.loaded_model import LoadedModel
from service.stream.messages import Message
from service.stream.stored_fields import StoredFields

ORIGINAL_HEADER = "churn-original-id"
"""Header of a replayed score: the prediction id that the worker gave the message."""


@dataclass(frozen=True, slots=True)
class ReplayedMessage(Message):
    """A message that a version scores again; the prediction id is the version's and the message's.

    Attributes:
        version: that version.
    """

    version: str = ""

    @property
    def _identity(self) -> str:
        place = f"{self.topic}\0{self.partition}\0{self.offset}\0{self.timestamp}"
        return f"replay\0{self.version}\0{place}"

    @classmethod
    def of(cls, record: Any, version: str) -> ReplayedMessage:
        """The message of a record that Kafka's client has read, with the original's id in a header."""
        fields = (
            record.topic, record.partition, record.offset, record.timestamp, record.key, record.value,
        )  # fmt: skip
        original = Message(*fields).prediction_id.encode()
        kept = tuple(header for header in record.headers if header[0] != ORIGINAL_HEADER)
        return cls(*fields, (*kept, (ORIGINAL_HEADER, original)), version)


@dataclass(frozen=True)
class OneVersion:
    """A version that scores every customer, in a model pool's place."""

    production: LoadedModel
    shadow: None = None

    def choose(self, key: str) -> LoadedModel:  # noqa: ARG002
        """The version, whoever the customer is."""
        return self.production


class UpdatesInMemory(StoredFields):
    """An online store that is read; the updates of the whole replay are kept here and not written."""

    def begin(self) -> None:
        """Keeps what the batches before have updated."""
        self._updates.clear()
