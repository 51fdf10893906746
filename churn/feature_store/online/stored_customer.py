"""A customer as the online store keeps it, and the rule by which a newer field replaces an older one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_encode_value = msgspec.msgpack.Encoder().encode


class StoredField(NamedTuple):
    """A field's raw value, and the time of its event in microseconds since 1970, UTC.

    Of two events of the same microsecond the one recorded later wins. Of two that were recorded at
    once, the value whose encoded form sorts last does, and any value wins over an explicit null: the
    same one whichever was written first.
    """

    at: int
    value: Any
    recorded: int = 0

    def replaces(self, held: StoredField | None) -> bool:
        """Whether this field is to be stored where `held` was, None for nothing."""
        if held is None:
            return True
        mine, other = (self.at, self.recorded), (held.at, held.recorded)
        return mine > other or (mine == other and _rank(self.value) > _rank(held.value))


Record = dict[str, StoredField]
"""A customer's fields by name. One that was never written is absent, which is not the same as null."""

encode_record = msgspec.msgpack.Encoder(order="sorted").encode
decode_record = msgspec.msgpack.Decoder(Record).decode


@dataclass(frozen=True, slots=True)
class CustomerUpdate:
    """Fields of one customer that one event set; the customer's other fields stay as they are.

    Attributes:
        customer: the customer's id.
        at: time of the event, with its zone.
        fields: raw values by the contract's names; None is an explicit null.
        recorded: when the event became known, with its zone; it decides between two that correct
            each other.
    """

    customer: str
    at: datetime
    fields: Mapping[str, Any]
    recorded: datetime = EPOCH


@dataclass(frozen=True, slots=True)
class StoredCustomer:
    """The latest known fields of a customer.

    Attributes:
        customer: the customer's id.
        fields: each with its value and the time of its event.
    """

    customer: str
    fields: Record

    @property
    def row(self) -> dict[str, Any]:
        """The raw values by name, as a scorer takes them."""
        return {name: field.value for name, field in self.fields.items()}

    def only(self, names: Collection[str]) -> StoredCustomer:
        """The same customer with some of the fields."""
        kept = {name: field for name, field in self.fields.items() if name in names}
        return StoredCustomer(self.customer, kept)

    def age_seconds(self, now: datetime) -> float:
        """Seconds since the event of the oldest field; not negative."""
        oldest = min(field.at for field in self.fields.values())
        return max(0, microseconds(now) - oldest) / 1e6


def microseconds(at: datetime) -> int:
    """Microseconds since 1970 of a time with a zone."""
    return (at - EPOCH) // _MICROSECOND


def _rank(value: Any) -> tuple[bool, bytes]:
    return value is not None, _encode_value(value)
