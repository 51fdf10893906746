"""Fields that a message leaves out, taken from the online store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from churn.contract import DataContract
from churn.feature_store.online.address import open_online_store
from service.stream.messages import Rejection


class StoredFields:
    """Completes the customers of messages."""

    def __init__(self, address: str, contract: DataContract, max_age_seconds: float) -> None:
        """Takes the store's address, and the age beyond which a field is too old; 0 sets no limit.

        Raises:
            InputError: that is no address of an online store.
        """
        self._store = open_online_store(contract, address)
        self._max_age = max_age_seconds
        self._names = frozenset(column.name for column in contract.features)

    def complete(self, customer: str, row: dict[str, Any]) -> dict[str, Any]:
        """Returns the customer with the fields that the message leaves out, as far as they are known.

        Raises:
            Rejection: a field that is taken from the store is too old.
            OnlineStoreError: the store cannot be read; try again.
        """
        absent = self._names - row.keys()
        stored = self._store.read(customer) if absent else None
        if stored is None:
            return row
        taken = stored.only(absent)
        if self._max_age and taken.fields:
            age = taken.age_seconds(datetime.now(UTC))
            if age > self._max_age:
                raise Rejection(
                    "stale", f"The oldest field that the message leaves out is {age:.0f} seconds old in "
                    f"the online store, and at most {self._max_age:.0f} are allowed.",
                )  # fmt: skip
        return taken.row | row

    def close(self) -> None:
        """Closes the store."""
        self._store.close()
