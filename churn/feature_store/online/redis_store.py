"""The online store on a Redis server: one key a customer, replaced only if nobody else has replaced it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from churn.contract import DataContract
from churn.errors import InputError, error_reason
from churn.feature_store.online.online_store import (
    OnlineStore,
    OnlineStoreError,
    WriteCounts,
    merge,
)
from churn.feature_store.online.stored_customer import (
    Record,
    StoredCustomer,
    decode_record,
    encode_record,
)

_TIMEOUT_SECONDS = 2.0
_REMOVED_AT_ONCE = 1000

# One key names the contract's layout, the others are customers: for each, what was read and what
# is to be written. Nothing is written for another contract. Returns the places that somebody else
# has written meanwhile, or the layout that is not the expected one.
_COMPARE_AND_SET = """
local layout = redis.call('GET', KEYS[1])
if layout and layout ~= ARGV[1] then return layout end
redis.call('SET', KEYS[1], ARGV[1])
local changed = {}
for place = 2, #KEYS do
    local held = redis.call('GET', KEYS[place]) or ''
    if held == ARGV[2 * place - 2] then
        redis.call('SET', KEYS[place], ARGV[2 * place - 1])
    else
        changed[#changed + 1] = place - 2
    end
end
return changed
"""


class RedisOnlineStore(OnlineStore):
    """An online store on a Redis server, under `churn:online:` and the contract's name."""

    def __init__(self, url: str, contract: DataContract) -> None:
        """Takes the server's address; connects on first use.

        Raises:
            InputError: it is no address of Redis: redis://, rediss:// (TLS) or unix://.
        """
        super().__init__(contract)
        try:
            self._redis: Redis = Redis.from_url(
                url,
                socket_timeout=_TIMEOUT_SECONDS,
                socket_connect_timeout=_TIMEOUT_SECONDS,
                # Once more, for a connection that the server has closed meanwhile.
                retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
            )
            parts = urlsplit(url)
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            # The text is not repeated: it may hold a password.
            raise InputError(
                "The online store's address is none of Redis. Write it like "
                "redis://:password@host:6379/0."
            ) from None
        self.place = f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
        self._secret = parts.password
        self._connecting = f" connecting to {parts.hostname}{port}"
        self._prefix = f"churn:online:{contract.name}:"
        self._layout_key = f"{self._prefix}layout"
        self._write_all = self._redis.register_script(_COMPARE_AND_SET)

    def read(self, customer: str) -> StoredCustomer | None:
        """Returns a customer's latest fields; None for a customer that was never written.

        Raises:
            OnlineStoreError: the store cannot be used, or holds no customers of this contract.
        """
        with self._reported():
            found: list[Any] = self._redis.mget(self._layout_key, self._key(customer))
            layout, fields = found
            self._require_layout(None if layout is None else layout.decode())
            if layout is None:
                raise self._nothing_stored()
            return None if fields is None else StoredCustomer(customer, decode_record(fields))

    def clear(self) -> None:
        """Removes every customer of the contract's name, so that another version may begin."""
        with self._reported():
            keys: list[bytes] = []
            for key in self._redis.scan_iter(f"{self._prefix}*", count=_REMOVED_AT_ONCE):
                keys.append(key)
                if len(keys) == _REMOVED_AT_ONCE:
                    self._redis.unlink(*keys)
                    keys.clear()
            self._redis.unlink(self._layout_key, *keys)

    def close(self) -> None:
        """Closes the connections."""
        self._redis.close()

    def _write_batch(self, events: Mapping[str, list[Record]]) -> WriteCounts:
        """Merges the events, and again those of customers that another process wrote meanwhile."""
        counts, left = WriteCounts(), list(events)
        with self._reported():
            while left:
                held: list[Any] = self._redis.mget([self._key(customer) for customer in left])
                arguments: list[bytes | str] = [self.layout]
                written: list[tuple[str, WriteCounts]] = []
                for customer, fields in zip(left, held, strict=True):
                    record = decode_record(fields) if fields else {}
                    found = merge(record, events[customer])
                    if found.fields_set:
                        arguments += [fields or b"", encode_record(record)]
                        written.append((customer, found))
                    else:
                        counts += found
                keys = [self._layout_key, *(self._key(customer) for customer, _ in written)]
                changed = self._write_all(keys, arguments)
                if isinstance(changed, bytes):
                    self._require_layout(changed.decode())
                again = set(changed)
                counts = sum(
                    (found for place, (_, found) in enumerate(written) if place not in again),
                    counts,
                )
                left = [written[place][0] for place in changed]
        return counts

    def _key(self, customer: str) -> str:
        return f"{self._prefix}customer:{customer}"

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Turns what Redis refuses into one sentence, without the password."""
        try:
            yield
        except (RedisError, OSError, msgspec.MsgspecError) as error:
            # The sentence names the place once, where a service can leave it out.
            reason = error_reason(error, longest=200).replace(self._connecting, "")
            if self._secret:
                reason = reason.replace(self._secret, "***")
            raise OnlineStoreError(
                f"The online store at {self.place} cannot be used: {reason}. Check that Redis is "
                "there, that the address has its password, and that it has memory left."
            ) from None
