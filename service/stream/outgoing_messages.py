"""What the worker writes of a batch: scores, and rejected messages with the reason in their headers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import time

from service.stream.message_scoring import ScoredBatch
from service.stream.messages import Message, Rejection
from service.stream.stream_settings import StreamSettings

REASON_HEADERS = (
    "churn-reason",
    "churn-kind",
    "churn-field",
    "churn-topic",
    "churn-partition",
    "churn-offset",
    "churn-rejected-at",
)
_LONGEST_REASON = 2_000  # characters


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message to be written, and the one that it comes from."""

    source: Message
    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def outgoing_messages(batch: ScoredBatch, settings: StreamSettings) -> Iterator[OutgoingMessage]:
    """Yields scores, then rejected messages; both keep the headers of their producer."""
    for each in batch.scored:
        kept = _producer_headers(each.message)
        yield OutgoingMessage(
            each.message, settings.output_topic, each.customer.encode(), each.value, kept
        )
    for message, rejection in batch.rejected:
        yield _rejected(message, rejection, settings)


def _rejected(message: Message, rejection: Rejection, settings: StreamSettings) -> OutgoingMessage:
    """Returns the message as it was read, or without its bytes if it is too large."""
    reasons = _reason_headers(message, rejection)
    topic = settings.dead_letter_topic
    if message.excess(settings.max_message_bytes):
        return OutgoingMessage(message, topic, None, b"", reasons)
    # kafka-python writes no message without key and value.
    value = b"" if message.key is None and message.value is None else message.value
    headers = [*_producer_headers(message), *reasons]
    return OutgoingMessage(message, topic, message.key, value, headers)


def _reason_headers(message: Message, rejection: Rejection) -> list[tuple[str, bytes]]:
    texts = (
        str(rejection)[:_LONGEST_REASON],
        rejection.kind,
        rejection.field,
        message.topic,
        str(message.partition),
        str(message.offset),
        f"{time():.3f}",
    )
    return [
        (name, text.encode("utf-8", "backslashreplace"))
        for name, text in zip(REASON_HEADERS, texts, strict=True)
    ]


def _producer_headers(message: Message) -> list[tuple[str, bytes]]:
    """Returns the producer's headers, without those that tell why it was rejected before."""
    # kafka-python writes no header without a value.
    return [(name, value or b"") for name, value in message.headers if name not in REASON_HEADERS]
