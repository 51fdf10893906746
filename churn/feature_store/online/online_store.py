"""What every online store does: checks what is written, and merges it batch by batch."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Self

from churn.contract import DataContract, NumberColumn
from churn.contract.values import is_customer_id
from churn.errors import InputError, did_you_mean
from churn.feature_store.online.stored_customer import (
    CustomerUpdate,
    Record,
    StoredCustomer,
    StoredField,
    encode_record,
    microseconds,
)

BATCH = 1000
"""Customers that are written together."""
_AHEAD = timedelta(minutes=5)
"""So far may the clock of another machine be ahead of this one's."""
_PLAIN = frozenset({str, int, float, bool, type(None)})


class OnlineStoreError(InputError):
    """An online store cannot be used: it is away, damaged, or of another contract."""


@dataclass(frozen=True, slots=True)
class WriteCounts:
    """What a write did.

    Attributes:
        customers: that were given.
        fields_set: fields that were new, or newer than those stored.
        fields_kept: fields that were not stored because the store has the same or newer ones.
    """

    customers: int = 0
    fields_set: int = 0
    fields_kept: int = 0

    def __add__(self, other: WriteCounts) -> WriteCounts:
        return WriteCounts(
            self.customers + other.customers,
            self.fields_set + other.fields_set,
            self.fields_kept + other.fields_kept,
        )


class OnlineStore(ABC):
    """The latest fields of the customers of one contract. One thread at a time may use it.

    Opening touches nothing. Several contracts and processes may share a file or a server.

    Attributes:
        contract: names the fields.
        place: where it is, without user and password.
    """

    place: str

    def __init__(self, contract: DataContract) -> None:
        self.contract = contract
        self.layout = layout_digest(contract)
        self._known = frozenset(column.name for column in contract.features)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @abstractmethod
    def read(self, customer: str) -> StoredCustomer | None:
        """Returns a customer's latest fields; None for a customer that was never written.

        Raises:
            OnlineStoreError: the store cannot be used, or holds no customers of this contract.
        """

    def write(self, updates: Iterable[CustomerUpdate]) -> WriteCounts:
        """Merges updates, `BATCH` at a time.

        A customer's update is kept as a whole or not at all, in SQLite a batch, too. To write the
        same updates again, in any order, changes nothing; so if it fails or is killed in the middle,
        what was written stays: write all again.

        Raises:
            InputError: an update is at fault; nothing of its batch is written.
            OnlineStoreError: the store cannot be used, or is of another contract.
        """
        counts = WriteCounts()
        checked = (self.checked(each) for each in updates)
        while batch := list(islice(checked, BATCH)):
            events: dict[str, list[Record]] = {}
            for customer, event in batch:
                events.setdefault(customer, []).append(event)
            counts += self._write_batch(events)
        return counts

    @abstractmethod
    def _write_batch(self, events: Mapping[str, list[Record]]) -> WriteCounts:
        """Merges the events of some customers."""

    @abstractmethod
    def clear(self) -> None:
        """Removes every customer of the contract's name, so that another version may begin."""

    @abstractmethod
    def close(self) -> None:
        """Closes what is open."""

    def checked(self, update: CustomerUpdate) -> tuple[str, Record]:
        """Returns the id and the fields as they are stored, if they can be.

        Raises:
            InputError: the update is at fault.
        """
        if not is_customer_id(update.customer):
            raise InputError(
                "An update's customer is no id: give a text of at most 200 characters."
            )
        if update.at.tzinfo is None or update.recorded.tzinfo is None:
            raise InputError("An update's time has no zone. Give one, such as UTC.")
        if update.at > datetime.now(UTC) + _AHEAD:
            raise InputError(
                f"An update's time, {update.at.isoformat()}, lies ahead of this machine's clock. No "
                "later event could replace its fields; correct the time."
            )
        for name, value in update.fields.items():
            self._check_field(name, value)
        at, recorded = microseconds(update.at), microseconds(update.recorded)
        fields = {name: StoredField(at, value, recorded) for name, value in update.fields.items()}
        return str(update.customer), fields

    def _check_field(self, name: str, value: Any) -> None:
        if name not in self._known:
            near = did_you_mean(name, self._known)
            hint = f"did you mean '{near}'?" if near else "leave it out."
            raise InputError(f"'{name}' is no feature of contract '{self.contract.name}'; {hint}")
        if type(value) not in _PLAIN:
            raise InputError(
                f"Field '{name}' is a {type(value).__name__}. Give a text, a number, true, false or "
                "None."
            )
        if type(value) in {str, int}:
            try:
                encode_record({name: value})
            except (OverflowError, UnicodeEncodeError):
                raise InputError(
                    f"Field '{name}' cannot be stored: a whole number has at most 64 bits, and a "
                    "text no half of a surrogate pair."
                ) from None

    def _require_layout(self, held: str | None) -> None:
        """Checks that the store's customers have the fields of this contract.

        Raises:
            OnlineStoreError: they have not.
        """
        if held is not None and held != self.layout:
            raise OnlineStoreError(
                f"The online store at {self.place} holds customers of another version of contract "
                f"'{self.contract.name}' (fields {held[:12]}, not {self.layout[:12]}). Use the "
                "contract that it was written with, or start it anew as docs/feature-store.md says."
            )

    def _nothing_stored(self) -> OnlineStoreError:
        return OnlineStoreError(
            f"The online store at {self.place} holds no customers of contract "
            f"'{self.contract.name}'. Run `make features` to fill it."
        )


def merge(record: Record, events: Iterable[Record]) -> WriteCounts:
    """Puts the fields of a customer's events into its record, where they are newer."""
    newer = kept = 0
    for event in events:
        for name, field in event.items():
            if field.replaces(record.get(name)):
                record[name] = field
                newer += 1
            else:
                kept += 1
    return WriteCounts(1, newer, kept)


def layout_digest(contract: DataContract) -> str:
    """SHA-256 of what makes stored values mean what they do: the contract's version, names and units.

    Words that only people read may change. What a value may be is checked whenever it is scored.
    """
    columns = [
        [each.name, each.kind, each.unit if isinstance(each, NumberColumn) else None]
        for each in contract.features
    ]
    text = json.dumps([contract.version, contract.id.name, columns])
    return hashlib.sha256(text.encode()).hexdigest()
