"""A message of a topic, the customer in it, and the reasons to reject it."""

from __future__ import annotations

from codecs import BOM_UTF8
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec

from churn.contract.refusals import quote_value
from churn.contract.values import LONGEST_ID, is_customer_id
from churn.scoring.wrappers import wrapper_sentence
from service.core.json_keys import find_repeated_key
from service.core.json_types import type_name

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a topic; its timestamp is in milliseconds, the producer's or the broker's.

    A value of None is a tombstone, which tells a compacted topic to forget the key.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()

    @property
    def prediction_id(self) -> str:
        """The same whenever the message is read, by any worker, so that a repeated answer is recognised."""
        identity = f"{self.topic}\0{self.partition}\0{self.offset}\0{self.timestamp}"
        return blake2b(identity.encode(), digest_size=16).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of key, value and headers."""
        headers = sum(len(name.encode()) + len(value or b"") for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers


class Rejection(Exception):  # noqa: N818 - the message is at fault, not the worker
    """A message that cannot be scored.

    Attributes:
        kind: what is wrong with it, one of `KINDS`; the metrics count by it.
        field: at fault, if one is.
    """

    KINDS = (
        "empty",
        "too_large",
        "not_json",
        "not_a_customer",
        "customer_id",
        "stale",
        "field",
        "failed",
    )

    def __init__(self, kind: str, reason: str, *, field: str = "") -> None:
        super().__init__(reason)
        self.kind = kind
        self.field = field


def parse_customer(message: Message, id_field: str, limit: int) -> tuple[str, dict[str, Any]]:
    """Returns the customer's id and fields.

    Raises:
        Rejection: the message holds no customer with an id, or has more than `limit` bytes.
    """
    if message.size > limit:
        raise Rejection(
            "too_large", f"The message has {message.size:,} bytes; at most {limit:,} are read."
        )
    if not message.value:
        raise Rejection("empty", "The message is empty. Send a JSON object.")
    try:
        row = _decode(message.value.removeprefix(BOM_UTF8))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        why = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise Rejection("not_json", f"The message is not JSON: {why.rstrip('.')}.") from None
    if type(row) is not dict:
        raise Rejection(
            "not_a_customer", f"The message is {type_name(row)}, not a JSON object with a "
            "customer's fields.",
        )  # fmt: skip
    if (key := find_repeated_key(message.value, row)) is not None:
        raise Rejection(
            "field", f"Field {quote_value(key)} stands twice in one object. Send it once.",
            field=key[:40],
        )  # fmt: skip
    return _customer_id(row, id_field), row


def _customer_id(row: dict[str, Any], field: str) -> str:
    value = row.get(field)
    if value is None:
        if sentence := wrapper_sentence(row):
            raise Rejection("not_a_customer", sentence)
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
