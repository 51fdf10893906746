"""Customers whose fields the online store has, read on a thread of its own.

A store that is away or slow costs the requests that need it a 503, and no other request anything.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial

from churn.contract import DataContract
from churn.errors import ChurnError
from churn.feature_store.online.address import open_online_store
from churn.feature_store.online.stored_customer import StoredCustomer
from service.api.problems import ProblemError
from service.api.service_settings import ServiceSettings
from service.core.background_thread import BackgroundThread, TooManyCallsError
from service.core.environment_settings import NONE
from service.core.log import log

_MOST_WAITING = 64
_ANSWER_SECONDS = 2.0


class StoredCustomers:
    """Reads customers from the online store."""

    def __init__(self, settings: ServiceSettings, contract: DataContract) -> None:
        """Takes the store's address; touches nothing yet.

        Raises:
            InputError: that is no address of an online store.
        """
        address = settings.online_store.get_secret_value()
        self._store = None if address == NONE else open_online_store(contract, address)
        self._max_age = settings.max_feature_age_seconds
        self._thread = BackgroundThread("online-store", limit=_MOST_WAITING)
        self._logged = ""

    async def read(self, customer: str) -> tuple[StoredCustomer, float]:
        """Returns a customer's fields, and their age in seconds.

        Raises:
            ProblemError: 404, the store has no such customer; 409, the fields are too old; 503, there
                is no store, or it cannot be read now.
        """
        stored = await self._read(customer)
        if stored is None:
            raise ProblemError(
                404, "The online store has no customer with this id. Send the fields to /v1/score, "
                "or run the features pipeline on a table that has the customer.",
            )  # fmt: skip
        age = stored.age_seconds(datetime.now(UTC))
        if self._max_age and age > self._max_age:
            raise ProblemError(
                409, f"The customer's oldest field is {age:.0f} seconds old, and at most "
                f"{self._max_age:.0f} are allowed. Write newer fields to the online store, or send "
                "them to /v1/score.",
            )  # fmt: skip
        return stored, age

    async def _read(self, customer: str) -> StoredCustomer | None:
        if self._store is None:
            raise ProblemError(
                503, "This service has no online store: CHURN_ONLINE_STORE is none. Send the "
                "customer's fields to /v1/score.",
            )  # fmt: skip
        try:
            call = self._thread.run(partial(self._store.read, customer))
            stored = await asyncio.wait_for(call, _ANSWER_SECONDS)
        except TooManyCallsError:
            raise _unreadable("More requests wait for the online store than may.") from None
        except TimeoutError:
            raise self._failed("The online store does not answer.") from None
        except ChurnError as error:
            raise self._failed(str(error), self._store.place) from None
        self._logged = ""
        return stored

    def _failed(self, reason: str, place: str = "") -> ProblemError:
        """Logs why the store cannot be read, once until it can or the reason changes.

        The log says where the store is; a caller need not know the service's files and hosts.
        """
        if reason != self._logged:
            log("error", "online_store_failed", reason=reason)
            self._logged = reason
        return _unreadable(reason.replace(f" at {place}", ""))


def _unreadable(reason: str) -> ProblemError:
    return ProblemError(503, reason, headers={"retry-after": "5"})
