"""The online store: what messages leave out is taken from it, and partial updates go into it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from churn.contract import DataContract
from churn.errors import InputError
from churn.feature_store.online.address import open_online_store
from churn.feature_store.online.online_store import merge
from churn.feature_store.online.stored_customer import CustomerUpdate, StoredCustomer
from service.stream.messages import CustomerEvent, Message, Rejection


@dataclass(frozen=True, slots=True)
class CompletedCustomer:
    """A customer with the fields that the message left out, as far as they are known.

    Attributes:
        row: the fields, with the id.
        update: what the store is to take over; None for a message with a whole customer.
        updated: the customer after the update.
    """

    row: dict[str, Any]
    update: CustomerUpdate | None = None
    updated: StoredCustomer | None = None


class StoredFields:
    """Completes the customers of messages.

    The updates of a batch are written together, after all of it is scored. Until then the customer's
    next message finds them here.
    """

    def __init__(self, address: str, contract: DataContract, max_age_seconds: float) -> None:
        """Takes the store's address, and the age beyond which a field is too old; 0 sets no limit.

        Raises:
            InputError: that is no address of an online store.
        """
        self._store = open_online_store(contract, address)
        self._max_age = max_age_seconds
        self._names = frozenset(column.name for column in contract.features)
        self._id_field = contract.id.name
        self._updated: dict[str, StoredCustomer] = {}
        self._updates: list[CustomerUpdate] = []

    def begin(self) -> None:
        """Begins a batch: forgets the updates of the last one."""
        self._updated.clear()
        self._updates.clear()

    def complete(self, event: CustomerEvent, message: Message) -> CompletedCustomer:
        """Returns the customer with the fields that the message leaves out, as far as they are known.

        Raises:
            Rejection: a field that is taken from the store is too old, or the store has no such
                customer to update, or cannot hold the update.
            OnlineStoreError: the store cannot be read; try again.
        """
        absent = self._names - event.row.keys()
        if event.at is None:
            stored = self._read(event.customer) if absent else None
            taken = {} if stored is None else self._taken(stored, absent)
            return CompletedCustomer(taken | event.row)
        stored = self._read(event.customer)
        if stored is None:
            raise Rejection(
                "unknown_customer", "The online store does not know this customer, so nothing can "
                "complete the partial update. Send all fields, or run the features pipeline on a "
                "table that has the customer.",
            )  # fmt: skip
        taken = self._taken(stored, absent)
        if event.row.keys() - self._names:
            return CompletedCustomer(taken | event.row)  # the scorer names the unknown field
        update = CustomerUpdate(event.customer, event.at, event.row, message.recorded)
        record = dict(stored.fields)
        try:
            merge(record, [self._store.checked(update)[1]])
        except InputError as error:
            raise Rejection("update", str(error)) from None
        updated = StoredCustomer(event.customer, record)
        return CompletedCustomer({self._id_field: event.customer} | updated.row, update, updated)

    def keep(self, customer: CompletedCustomer) -> None:
        """Takes over the update, now that the customer is known to be valid with it."""
        if customer.update is not None and customer.updated is not None:
            self._updates.append(customer.update)
            self._updated[customer.update.customer] = customer.updated

    def write(self) -> None:
        """Writes the batch's updates; to write them again changes nothing.

        Raises:
            InputError: the store cannot be written, or a clock was set back; try again.
        """
        if self._updates:
            self._store.write(self._updates)

    def close(self) -> None:
        """Closes the store."""
        self._store.close()

    def _read(self, customer: str) -> StoredCustomer | None:
        return self._updated.get(customer) or self._store.read(customer)

    def _taken(self, stored: StoredCustomer, absent: Collection[str]) -> dict[str, Any]:
        """The fields that are taken from the store.

        Raises:
            Rejection: one of them is too old.
        """
        taken = stored.only(absent)
        if self._max_age and taken.fields:
            age = taken.age_seconds(datetime.now(UTC))
            if age > self._max_age:
                raise Rejection(
                    "stale", f"The oldest field that the message leaves out is {age:.0f} seconds old in "
                    f"the online store, and at most {self._max_age:.0f} are allowed.",
                )  # fmt: skip
        return taken.row
