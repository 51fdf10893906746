"""A message of a topic, the event in it, and the reasons to reject it.

An event is a customer with all fields, or a partial update: the fields that changed, and when.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec

from churn.contract import DataContract
from churn.contract.refusals import quote_value
from churn.contract.values import LONGEST_ID, is_customer_id
from churn.scoring.wrappers import wrapper_sentence
from service.core.json_keys import find_repeated_key
from service.core.json_types import type_name

SCHEMA_HEADER = "churn-schema"
"""Header with the version of the message's form; without it, the first one."""
SCHEMA_VERSION = b"1"
_MOST_HEADERS = 1000
CHANGES, AT = "changes", "at"
"""Keys of a partial update, beside the customer's id."""

Place = int | str
"""Of a message in its partition: Kafka's offset, or the id of an entry in Redis."""

_decode = msgspec.json.Decoder().decode
_decode_time = msgspec.json.Decoder(datetime).decode


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a topic; its timestamp is in milliseconds, the producer's or the broker's.

    A value of None is a tombstone, which tells a compacted topic to forget the key.
    """

    topic: str
    partition: int
    offset: Place
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()

    @property
    def prediction_id(self) -> str:
        """The same whenever the message is read, by any worker, so that a repeated answer is recognised."""
        return blake2b(self._identity.encode(), digest_size=16).hexdigest()

    @property
    def _identity(self) -> str:
        return f"{self.topic}\0{self.partition}\0{self.offset}\0{self.timestamp}"

    @property
    def size(self) -> int:
        """Bytes of key, value and headers."""
        headers = sum(len(name.encode()) + len(value or b"") for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers

    def excess(self, limit: int) -> str | None:
        """Returns what it has too much of, beyond `limit` bytes or many headers; None if it has not."""
        if len(self.headers) > _MOST_HEADERS:
            return f"The message has {len(self.headers):,} headers; at most {_MOST_HEADERS:,} are read."
        if (size := self.size) > limit:
            return f"The message has {size:,} bytes; at most {limit:,} are read."
        return None

    @property
    def recorded(self) -> datetime:
        """Its timestamp as a time; 1970 where it has none."""
        try:
            return datetime.fromtimestamp(max(0, self.timestamp) / 1000, UTC)
        except (OverflowError, ValueError, OSError):
            return datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class CustomerEvent:
    """What a message tells of a customer.

    Attributes:
        customer: the customer's id.
        row: all fields with the id, or those that changed.
        at: when they changed; None for a customer with all fields.
    """

    customer: str
    row: dict[str, Any]
    at: datetime | None = None


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
        "schema",
        "update",
        "unknown_customer",
        "stale",
        "field",
        "failed",
    )

    def __init__(self, kind: str, reason: str, *, field: str = "") -> None:
        super().__init__(reason)
        self.kind = kind
        self.field = field


def parse_event(message: Message, contract: DataContract, limit: int) -> CustomerEvent:
    """Returns the customer of a message, or the partial update.

    Raises:
        Rejection: the message holds neither with an id, or has more than `limit` bytes.
    """
    if excess := message.excess(limit):
        raise Rejection("too_large", excess)
    _require_schema(message)
    row = _parse_object(message)
    customer = _customer_id(row, contract.id.name)
    if CHANGES not in row or any(column.name == CHANGES for column in contract.features):
        return CustomerEvent(customer, row)
    return CustomerEvent(customer, *_parse_changes(row, contract.id.name))


def _require_schema(message: Message) -> None:
    versions = {value for name, value in message.headers if name == SCHEMA_HEADER}
    if versions - {SCHEMA_VERSION}:
        raise Rejection(
            "schema", f"The header {SCHEMA_HEADER} names a version of the message that this worker "
            f"does not know. It knows {SCHEMA_VERSION.decode()}; leave the header out, or use a "
            "newer worker.",
        )  # fmt: skip


def _parse_object(message: Message) -> dict[str, Any]:
    if not message.value:
        raise Rejection("empty", "The message is empty. Send a JSON object.")
    try:
        row = _decode(message.value.removeprefix(BOM_UTF8))
        key = find_repeated_key(message.value, row)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        why = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise Rejection("not_json", f"The message is not JSON: {why.rstrip('.')}.") from None
    if type(row) is not dict:
        raise Rejection(
            "not_a_customer", f"The message is {type_name(row)}, not a JSON object with a "
            "customer's fields.",
        )  # fmt: skip
    if key is not None:
        raise Rejection(
            "field", f"Field {quote_value(key)} stands twice in one object. Send it once.",
            field=key[:40],
        )  # fmt: skip
    return row


def _parse_changes(row: dict[str, Any], id_field: str) -> tuple[dict[str, Any], datetime]:
    """Returns the fields that changed, and when."""
    changes = row[CHANGES]
    if type(changes) is not dict:
        raise Rejection(
            "update", f"'{CHANGES}' is {type_name(changes)}, not a JSON object with the fields that "
            "changed.", field=CHANGES,
        )  # fmt: skip
    if other := next((key for key in row if key not in {id_field, CHANGES, AT}), None):
        raise Rejection(
            "update", f"Field {quote_value(other)} stands beside '{CHANGES}'. Put it into "
            f"'{CHANGES}', or send all fields without '{CHANGES}'.", field=other[:40],
        )  # fmt: skip
    if id_field in changes:
        raise Rejection(
            "update", f"'{CHANGES}' names the customer's id. Leave it out there: an id does not "
            "change.", field=id_field,
        )  # fmt: skip
    if empty := next((key for key, value in changes.items() if value is None), None):
        raise Rejection(
            "update", f"Field {quote_value(empty)} is null, and a partial update empties no field. "
            "Leave it out to keep what is known.", field=empty[:40],
        )  # fmt: skip
    return changes, _parse_time(row.get(AT))


def _parse_time(value: Any) -> datetime:
    at = None
    if type(value) is str:
        with suppress(msgspec.ValidationError):
            at = _decode_time(msgspec.json.encode(value))
    if at is None or at.tzinfo is None:
        given = (
            "missing" if value is None else f"{quote_value(value)}, which is no time with a zone"
        )
        raise Rejection(
            "update", f"'{AT}' is {given}. Write when the fields changed, such as "
            "2026-11-30T10:00:00Z.", field=AT,
        )  # fmt: skip
    return at


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
