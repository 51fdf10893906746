"""The latest score of each customer in Redis: a hash `churn:score:<id>` that expires by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import asdict
from redis import Redis
from redis.exceptions import RedisError

from churn.errors import InputError
from service.stream.message_scoring import ScoredMessage

LatestScoresError = RedisError
"""Raised if Redis cannot be written; try again."""

KEY = "churn:score:"
_TIMEOUT_SECONDS = 5


class LatestScores:
    """Writes the latest scores to Redis."""

    def __init__(self, url: str, seconds: int) -> None:
        """Reads the address; connects on first use. A score is kept for `seconds`.

        Raises:
            InputError: the URL is none of Redis: redis://, rediss:// (TLS) or unix://.
        """
        try:
            self._redis = Redis.from_url(
                url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
            )
        except ValueError:
            # The text is not repeated: it may hold a password.
            raise InputError(
                "CHURN_REDIS is not an address of Redis. Write it like "
                "redis://:password@host:6379/0, or none."
            ) from None
        self._seconds = seconds

    def write(self, scored: Sequence[ScoredMessage]) -> None:
        """Writes each customer's last score of these.

        Raises:
            LatestScoresError: Redis does not answer or refuses.
        """
        last = {each.customer: each for each in scored}
        if not last:
            return
        with self._redis.pipeline(transaction=False) as pipe:
            for customer, each in last.items():
                key = KEY + customer
                # Redis writes the probability as repr does: the very same number.
                fields: dict[Any, Any] = asdict(each.answer) | {
                    "decision": int(each.answer.decision),
                    "scored_at": each.at.isoformat(timespec="milliseconds"),
                }
                pipe.hset(key, mapping=fields)
                pipe.expire(key, self._seconds)
            pipe.execute()

    def close(self) -> None:
        """Closes the connection."""
        self._redis.close()
