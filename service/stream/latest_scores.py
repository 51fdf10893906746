"""The latest score of each customer in Redis: a hash `churn:score:<id>` that expires by itself.

It names the message that it is of. A worker that lost its partition while it waited does not put an
older message's score over a newer one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from msgspec.structs import asdict
from redis import Redis
from redis.exceptions import RedisError

from churn.errors import InputError
from service.stream.message_scoring import ScoredMessage

LatestScoresError = RedisError
"""Raised if Redis cannot be written; try again."""

KEY = "churn:score:"
_TIMEOUT_SECONDS = 5

# Numbers are compared as texts of digits: Redis' own would round them. The id of an entry has two.
_WRITE = """
local function compare(one, other)
    if #one ~= #other then return #one - #other end
    return one == other and 0 or (one > other and 1 or -1)
end
local function is_later(held, given)
    local held_first, held_second = string.match(held, '^(%d+)-?(%d*)$')
    local first, second = string.match(given, '^(%d+)-?(%d*)$')
    local found = compare(held_first, first)
    return found > 0 or (found == 0 and compare(held_second, second) > 0)
end
local held = redis.call('HMGET', KEYS[1], 'topic', 'partition', 'offset')
if held[1] == ARGV[2] and held[2] == ARGV[3] and is_later(held[3], ARGV[4]) then return end
redis.call('HSET', KEYS[1], 'topic', ARGV[2], 'partition', ARGV[3], 'offset', ARGV[4], unpack(ARGV, 5))
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""


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
        self._write = self._redis.register_script(_WRITE)

    def write(self, scored: Sequence[ScoredMessage]) -> None:
        """Writes each customer's last score of these, where Redis has no later message's.

        Raises:
            LatestScoresError: Redis does not answer or refuses.
        """
        last = {each.customer: each for each in scored}
        if not last:
            return
        with self._redis.pipeline(transaction=False) as pipe:
            for customer, each in last.items():
                # Redis writes the probability as repr does: the very same number.
                fields = asdict(each.answer) | {
                    "decision": int(each.answer.decision),
                    "scored_at": each.at.isoformat(timespec="milliseconds"),
                }
                source = each.message
                place = (source.topic, source.partition, source.offset)
                arguments = [self._seconds, *place, *chain.from_iterable(fields.items())]
                self._write([KEY + customer], arguments, client=pipe)
            pipe.execute()

    def close(self) -> None:
        """Closes the connection."""
        self._redis.close()
