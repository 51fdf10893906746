"""A message as it came, the customer in it, and why it may have to be rejected."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec

from churn.contract.refusals import quote_value
from churn.contract.values import LONGEST_ID, is_customer_id

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Message:
    """What a topic holds.

    Attributes:
        topic: where it was read.
        partition: of the topic.
        offset: in the partition.
        timestamp: milliseconds since the epoch, the producer's or the broker's.
        key: its bytes; None where it has none.
        value: its bytes; None where it has none.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None

    @property
    def prediction_id(self) -> str:
        """The same whenever and by whomever the message is read: a repeated answer is known by it."""
        place = f"{self.topic}\0{self.partition}\0{self.offset}\0{self.timestamp}"
        return blake2b(place.encode(), digest_size=16).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of key and value."""
        return len(self.key or b"") + len(self.value or b"")


class Rejection(Exception):  # noqa: N818 - what it says, and no error of ours
    """A message is not scored.

    Attributes:
        kind: what is wrong with it, in one word of a closed list; the figures count by it.
        field: at fault, where one is.
    """

    KINDS = (
        "empty",
        "body_too_large",
        "not_json",
        "not_a_customer",
        "customer_id",
        "field",
        "failed",
    )

    def __init__(self, kind: str, reason: str, *, field: str = "") -> None:
        super().__init__(reason)
        self.kind = kind
        self.field = field


def parse_customer(message: Message, id_field: str, limit: int) -> tuple[str, dict[str, Any]]:
    """The customer's id and fields.

    Args:
        message: as it came.
        id_field: the contract's name of the id.
        limit: bytes of a message.

    Raises:
        Rejection: it holds no customer who could be told apart from others.
    """
    if message.size > limit:
        raise Rejection(
            "body_too_large", f"The message has {message.size:,} bytes; at most {limit:,} are read."
        )
    if not message.value:
        raise Rejection("empty", "The message is empty. Send a JSON object.")
    try:
        row = _decode(message.value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        why = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise Rejection("not_json", f"The message is not JSON: {why.rstrip('.')}.") from None
    if type(row) is not dict:
        raise Rejection(
            "not_a_customer", f"The message is {_kind(row)}, not a JSON object with a customer's "
            "fields.",
        )  # fmt: skip
    return _customer_id(row, id_field), row


def _customer_id(row: dict[str, Any], field: str) -> str:
    value = row.get(field)
    if value is None:
        raise Rejection(
            "customer_id", f"Field '{field}' is missing. A score on a topic is worth nothing "
            "without its customer.", field=field,
        )  # fmt: skip
    if not is_customer_id(value):
        raise Rejection(
            "customer_id", f"Field '{field}': {quote_value(value)} is no customer's id. Give a text of "
            f"at most {LONGEST_ID} characters or a whole number.", field=field,
        )  # fmt: skip
    return str(value)


def _kind(value: object) -> str:
    names = {list: "a list", str: "a text", type(None): "null", bool: "true or false"}
    return names.get(type(value), "a number")
