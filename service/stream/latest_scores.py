"""The latest score of each customer in Redis: a hash `churn:score:<id>` that expires by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
        """Reads the address; connects on first use.

        Args:
            url: redis://, rediss:// (TLS) or unix://, with a password if need be.
            seconds: how long a score is kept.

        Raises:
            InputError: it is not an address of Redis.
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
                answer, key = each.answer, KEY + customer
                fields: dict[Any, Any] = {
                    "prediction_id": answer.prediction_id,
                    "probability": answer.probability,  # as repr writes it: the very same number
                    "decision": int(answer.decision),
                    "risk_band": answer.risk_band,
                    "model_version": answer.model_version,
                    "scored_at": each.at.isoformat(timespec="milliseconds"),
                }
                pipe.hset(key, mapping=fields)
                pipe.expire(key, self._seconds)
            pipe.execute()

    def close(self) -> None:
        """Closes the connection."""
        self._redis.close()
