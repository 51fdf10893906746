"""The latest score of each customer in Redis: a hash `churn:score:<id>` that expires by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from churn.errors import InputError
from service.stream.message_scoring import ScoredMessage

LatestError = RedisError
"""What writing may raise: try again."""

KEY = "churn:score:"
_ANSWER_SECONDS = 5


class LatestScores:
    """Writes them."""

    def __init__(self, url: str, seconds: int) -> None:
        """Takes an address; connects on first use.

        Args:
            url: redis://, rediss:// (TLS) or unix://, with a password if need be.
            seconds: that a score is kept.

        Raises:
            InputError: that is not an address.
        """
        try:
            self._redis = Redis.from_url(
                url, socket_timeout=_ANSWER_SECONDS, socket_connect_timeout=_ANSWER_SECONDS
            )
        except ValueError:
            # Nothing of the text is repeated: it may hold a password.
            raise InputError(
                "CHURN_REDIS is not an address of Redis. Write it like "
                "redis://:password@host:6379/0, or none."
            ) from None
        self._seconds = seconds

    def write(self, scored: Sequence[ScoredMessage]) -> None:
        """Keeps each customer's last score of these.

        Raises:
            LatestError: Redis does not answer or refuses.
        """
        last = {one.customer: one for one in scored}
        if not last:
            return
        with self._redis.pipeline(transaction=False) as pipe:
            for customer, one in last.items():
                answer, key = one.answer, KEY + customer
                fields: dict[Any, Any] = {
                    "prediction_id": answer.prediction_id,
                    "probability": answer.probability,  # as repr writes it: the very same number
                    "decision": int(answer.decision),
                    "risk_band": answer.risk_band,
                    "model_version": answer.model_version,
                    "scored_at": one.at.isoformat(timespec="milliseconds"),
                }
                pipe.hset(key, mapping=fields)
                pipe.expire(key, self._seconds)
            pipe.execute()

    def close(self) -> None:
        """Lets go of it."""
        self._redis.close()
