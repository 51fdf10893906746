"""Redis Streams as the transport: a consumer group on one stream, and streams for what is written.

An entry has the fields `key` and `value`; its other fields are the message's headers. Scores and the
acknowledgement of what they are of are one script, so both happen or neither. Entries of a worker that
is silent are claimed by another one, and from then on the first one's commit is refused.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import ceil
from typing import Any, TypeVar

from redis import Redis
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    RedisError,
    ResponseError,
)

from churn.errors import error_reason
from service.core.log import log
from service.stream.message_scoring import ScoredBatch
from service.stream.messages import Message
from service.stream.outgoing_messages import outgoing_messages
from service.stream.session import PROCESS, PermanentError, SessionError
from service.stream.stream_settings import StreamSettings

_TIMEOUT_SECONDS = 10
_TRIM_SECONDS = 10.0
_FORGOTTEN_SECONDS = (
    24 * 3600
)  # a consumer that is idle for so long is removed; the next read makes it anew
_KEY, _VALUE = b"key", b"value"

# Refuses all if another worker has claimed an entry meanwhile, and fails before it writes anything if
# a key is no stream: what a script has written stays. ARGV: group, consumer, longest stream;
# how many entries were read, and these; then for each to be written its stream's place in KEYS, how
# many fields it has with their values, and these.
_COMMIT = """
redis.call('XLEN', KEYS[2])
redis.call('XLEN', KEYS[3])
local place = 5 + ARGV[4]
for i = 5, place - 1 do
    local held = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)
    if #held == 0 or held[1][2] ~= ARGV[2] then return 0 end
end
while place <= #ARGV do
    local fields = {}
    for i = 1, ARGV[place + 1] do fields[i] = ARGV[place + 1 + i] end
    redis.call('XADD', KEYS[0 + ARGV[place]], 'MAXLEN', '~', ARGV[3], '*', unpack(fields))
    place = place + 2 + ARGV[place + 1]
end
for i = 5, 4 + ARGV[4] do redis.call('XACK', KEYS[1], ARGV[1], ARGV[i]) end
return 1
"""

_NAMED = """
local function named(reply)
    local found = {}
    for i = 1, #reply, 2 do found[reply[i]] = reply[i + 1] end
    return found
end
"""

# How many entries were removed before the group read them. They then count as read, so that no worker
# counts them again and none waits for them. ARGV: group.
_LOST = (
    _NAMED
    + """
local stream = named(redis.call('XINFO', 'STREAM', KEYS[1]))
local removed = stream['entries-added'] - stream['length']
for _, each in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    local group = named(each)
    local read = group['entries-read']
    if group['name'] == ARGV[1] and read and removed > read then
        redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], group['last-delivered-id'],
            'ENTRIESREAD', removed)
        return removed - read
    end
end
return 0
"""
)

# Removes a consumer from the group, and those that are idle for long; entries that one holds would be
# lost with it. ARGV: group, consumer, milliseconds.
_LEAVE = (
    _NAMED
    + """
for _, each in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    local found = named(each)
    local ends = found['name'] == ARGV[2] or found['idle'] > tonumber(ARGV[3])
    if ends and found['pending'] == 0 then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], found['name'])
    end
end
"""
)

Result = TypeVar("Result")


class RedisSession:
    """A consumer of the group."""

    is_member = True
    partitions = 1

    def __init__(self, settings: StreamSettings) -> None:
        """Connects, and makes the input stream and the group where they are missing.

        Raises:
            SessionError: Redis does not answer.
            PermanentError: Redis refuses this worker, or a name is of something else.
        """
        self._settings = settings
        self._consumer = settings.instance or f"{socket.gethostname()}-{PROCESS}"
        try:
            self._redis = Redis.from_url(
                settings.stream_redis.get_secret_value(),
                socket_timeout=_TIMEOUT_SECONDS,
                socket_connect_timeout=_TIMEOUT_SECONDS,
            )
        except ValueError:  # its text may hold a part of the password
            raise PermanentError(
                "CHURN_STREAM_REDIS is not an address of Redis. Write it like "
                "redis://:password@host:6379/0."
            ) from None
        self._script = self._redis.register_script(_COMMIT)
        self._lost_script = self._redis.register_script(_LOST)
        self._leave_script = self._redis.register_script(_LEAVE)
        self._failed = False
        self._own = "0"
        """From where this consumer's own entries are read, of before a crash; empty: there are none left."""
        self._claim_from, self._claimed_at, self._trimmed_at = "0-0", 0.0, time.monotonic()
        self._read: list[str] = []
        self._written: list[Any] = []
        try:
            self._call(self._make_group)
        except BaseException:
            self._redis.close()
            raise

    def poll(self, seconds: float) -> list[Message]:
        """Returns the next entries: this worker's of before a crash, those of silent workers, new ones."""
        return self._call(lambda: self._poll(seconds))

    def send(self, batch: ScoredBatch) -> None:
        """Prepares scores and rejections, which `commit` writes."""
        streams = {self._settings.output_topic: 2, self._settings.dead_letter_topic: 3}
        for each in outgoing_messages(batch, self._settings):
            fields: list[Any] = [_VALUE, each.value or b""]
            if each.key is not None:
                fields += [_KEY, each.key]
            for name, value in each.headers:
                fields += [name, value]
            self._written += [streams[each.topic], len(fields), *fields]

    def commit(self) -> bool:
        """Writes what was prepared and acknowledges what was read, or does neither."""
        read, self._read = self._read, []
        written, self._written = self._written, []
        if not read:
            return True
        settings = self._settings
        keys = (settings.input_topic, settings.output_topic, settings.dead_letter_topic)
        arguments: list[Any] = [
            settings.group,
            self._consumer,
            settings.stream_max_length,
            len(read),
        ]
        done = self._call(lambda: self._script(keys, [*arguments, *read, *written]))
        if time.monotonic() - self._trimmed_at >= _TRIM_SECONDS:
            self._trimmed_at = time.monotonic()
            self._call(self._trim)
        return bool(done)

    def count_waiting(self) -> int | None:
        """Returns this worker's share of the entries that the group has not done yet, rounded up; None if Redis does not know."""
        group = self._call(self._group)
        lag = group.get("lag")
        if lag is None:
            return None
        workers = 1 + self._call(self._count_others)
        return ceil((int(lag) + int(group["pending"])) / workers)

    def count_lost(self) -> int:
        """Returns how many entries were removed before the group read them, as far as Redis knows.

        Of several workers one counts a loss.
        """
        settings = self._settings
        lost = int(self._call(lambda: self._lost_script([settings.input_topic], [settings.group])))
        if lost:
            log("error", "start_lost", topic=settings.input_topic, messages=lost,
                reason="Entries were removed before the group read them.")  # fmt: skip
        return lost

    def close(self) -> None:
        """Leaves the group, unless entries were not acknowledged: another worker claims them."""
        if not self._failed:  # else it might wait for Redis once more
            names = self._settings.group, self._consumer
            with suppress(RedisError):
                self._leave_script(
                    [self._settings.input_topic], [*names, round(_FORGOTTEN_SECONDS * 1000)]
                )
        self._redis.close()

    def _poll(self, seconds: float) -> list[Message]:
        name, count = self._settings.input_topic, self._settings.batch_messages
        entries: list[Any] = []
        if self._own:
            entries = self._read_group(self._own)
            self._own = entries[-1][0].decode() if entries else ""
        if (
            not entries
            and time.monotonic() - self._claimed_at >= self._settings.session_seconds / 2
        ):
            silent = round(self._settings.session_seconds * 1000)
            start, entries, *_ = self._redis.xautoclaim(
                name, self._settings.group, self._consumer, silent, self._claim_from, count
            )
            self._claim_from = start.decode()
            if self._claim_from == "0-0":
                self._claimed_at = time.monotonic()
        if not entries:
            entries = self._read_group(">", block=max(1, round(seconds * 1000)))
        # An entry that was trimmed before it was done has no fields any more.
        messages = [_message(name, each, fields or {}) for each, fields in entries]
        self._read += [str(message.offset) for message in messages]
        return messages

    def _read_group(self, start: str, block: int | None = None) -> list[Any]:
        found: Any = self._redis.xreadgroup(
            self._settings.group, self._consumer, {self._settings.input_topic: start},
            count=self._settings.batch_messages, block=block,
        )  # fmt: skip
        if isinstance(found, dict):
            found = list(found.items())
        return _flat(found[0][1]) if found else []

    def _make_group(self) -> None:
        try:
            self._redis.xgroup_create(
                self._settings.input_topic, self._settings.group, id="0", mkstream=True
            )
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    def _group(self) -> dict[str, Any]:
        groups: Sequence[Any] = self._redis.xinfo_groups(self._settings.input_topic)
        name = self._settings.group.encode()
        # None has it where somebody has removed it; the next read says so.
        return next((dict(each) for each in groups if each["name"] == name), {})

    def _count_others(self) -> int:
        """The group's other consumers that hold entries, or have read some lately."""
        silent = self._settings.session_seconds * 1000
        consumers = self._redis.xinfo_consumers(self._settings.input_topic, self._settings.group)
        return sum(
            each["name"] != self._consumer.encode()
            and (each["pending"] > 0 or each["idle"] < silent)
            for each in consumers
        )

    def _trim(self) -> None:
        """Removes the oldest entries of a stream that is too long, where every group has done them."""
        name = self._settings.input_topic
        excess = self._redis.xlen(name) - self._settings.stream_max_length
        if excess <= 0:
            return
        done = []
        for group in self._redis.xinfo_groups(name):
            oldest = self._redis.xpending(name, group["name"])["min"] if group["pending"] else None
            done.append(_place((oldest or group["last-delivered-id"]).decode()))
        first = "-".join(map(str, min(done)))
        self._redis.xtrim(name, minid=first, approximate=True, limit=excess)

    def _call(self, call: Callable[[], Result]) -> Result:
        """Calls Redis, and says whether waiting mends what it refuses."""
        try:
            return call()
        except RedisError as error:
            self._failed = True
            reason = error_reason(error, longest=200)
            if isinstance(error, AuthenticationError | AuthorizationError | NoPermissionError):
                raise PermanentError(
                    f"Redis refuses the worker: {reason}. Check user, password and rights in "
                    "CHURN_STREAM_REDIS."
                ) from None
            if str(error).startswith("WRONGTYPE"):
                names = (self._settings.input_topic, self._settings.output_topic,
                         self._settings.dead_letter_topic)  # fmt: skip
                raise PermanentError(
                    f"One of the keys {', '.join(map(repr, names))} holds something else than a "
                    "stream. Name other topics (CHURN_INPUT_TOPIC, CHURN_OUTPUT_TOPIC, "
                    "CHURN_DEAD_LETTER_TOPIC)."
                ) from None
            raise SessionError(
                f"Redis Streams cannot be used: {reason}. Start Redis, or set CHURN_STREAM_REDIS."
            ) from None


def _message(stream: str, entry: bytes, fields: dict[bytes, bytes]) -> Message:
    headers = tuple(
        (name.decode("utf-8", "backslashreplace"), value)
        for name, value in fields.items()
        if name not in {_KEY, _VALUE}
    )
    offset = entry.decode()
    return Message(
        stream, 0, offset, _place(offset)[0], fields.get(_KEY), fields.get(_VALUE), headers
    )


def _place(entry: str) -> tuple[int, int]:
    """An entry's id, to be compared: milliseconds, and a number among those of one."""
    milliseconds, number = entry.split("-")
    return int(milliseconds), int(number)


def _flat(entries: Any) -> list[Any]:
    """One stream's entries, in whichever shape the client gives them."""
    return list(entries[0] if len(entries) == 1 and isinstance(entries[0], list) else entries)
