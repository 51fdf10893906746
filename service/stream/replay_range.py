"""Which messages a replay reads: a range of time or of offsets, found in each partition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from kafka import KafkaConsumer, TopicPartition  # type: ignore[import-untyped]

from churn.errors import InputError

Edge = datetime | int
"""A time with a zone, or an offset in every partition."""
Ranges = Mapping[TopicPartition, range]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LONGEST_OFFSET = 19  # digits of the largest that Kafka has


def read_edge(option: str, text: str) -> Edge:
    """Returns the time or the offset that an option names.

    Raises:
        InputError: it is neither.
    """
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST_OFFSET:
        return int(text)
    try:
        return read_time(option, text)
    except InputError:
        raise InputError(
            f"{option} is '{text}', which is neither a time with a zone nor an offset. Write it like "
            "2026-11-30T10:00:00Z or 1500."
        ) from None


def read_time(option: str, text: str) -> datetime:
    """Returns the time that an option names, in UTC.

    Raises:
        InputError: it is none, or has no zone.
    """
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InputError(
        f"{option} is '{text}', which is no time with a zone. Write it like 2026-11-30T10:00:00Z."
    )


def require_forward(first: Edge, last: Edge | None) -> None:
    """Checks what can be said of two edges without looking at the topic.

    Raises:
        InputError: they are a backward or empty range.
    """
    if last is not None and type(first) is type(last) and first >= last:  # type: ignore[operator]
        raise InputError(
            f"The range is backward or empty: --from is {first}, and --to is {last}. --from must be "
            "before --to."
        )


def find_ranges(
    reader: KafkaConsumer, partitions: Sequence[TopicPartition], first: Edge, last: Edge | None
) -> Ranges:
    """Returns the offsets of each partition from `first` on and before `last`; None for the end of now.

    Raises:
        InputError: no message is in them, or the topic has lost their start.
        KafkaError: the brokers do not answer.
    """
    starts, ends = reader.beginning_offsets(partitions), reader.end_offsets(partitions)
    begins = _offsets(reader, partitions, first, ends)
    stops = ends if last is None else _offsets(reader, partitions, last, ends)
    ranges = {each: range(begins[each], min(stops[each], ends[each])) for each in partitions}
    for each in partitions:
        if ranges[each] or (isinstance(first, datetime) and begins[each] < ends[each]):
            _require_start(reader, each, first, begins[each], starts[each])
    if not any(ranges.values()):
        held = ", ".join(f"{each.partition}: {starts[each]} to {ends[each]}" for each in partitions)
        raise InputError(
            f"The topic '{partitions[0].topic}' has no message in the range. It holds these offsets, "
            f"each end excluded: {held}."
        )
    return ranges


def find_emptied(reader: KafkaConsumer, partitions: Sequence[TopicPartition]) -> list[int]:
    """Returns the partitions that had messages and hold none: nobody can say of when these were.

    Raises:
        KafkaError: the brokers do not answer.
    """
    starts, ends = reader.beginning_offsets(partitions), reader.end_offsets(partitions)
    return [each.partition for each in partitions if starts[each] == ends[each] > 0]


def _offsets(
    reader: KafkaConsumer, partitions: Sequence[TopicPartition], edge: Edge, ends: Mapping[Any, int]
) -> dict[TopicPartition, int]:
    if isinstance(edge, int):
        return dict.fromkeys(partitions, edge)
    at = max(0, (edge - _EPOCH) // _MILLISECOND)
    found = reader.offsets_for_times(dict.fromkeys(partitions, at))
    return {
        each: ends[each] if found.get(each) is None else found[each].offset for each in partitions
    }


def _require_start(
    reader: KafkaConsumer, partition: TopicPartition, first: Edge, begin: int, start: int
) -> None:
    """Checks that the partition still has its first message of the range.

    Raises:
        InputError: it has not, or nobody can say: what it begins with is in the range.
    """
    if isinstance(first, int):
        if first >= start:
            return
        ask = str(start)
    else:
        if start == 0 or begin > start:
            return
        oldest = reader.offsets_for_times({partition: 0})[partition]
        ask = (_EPOCH + (oldest.timestamp + 1) * _MILLISECOND).isoformat(timespec="milliseconds")
    raise InputError(
        f"Partition {partition.partition} of '{partition.topic}' has lost its start: it begins at "
        f"offset {start}, and older messages of the range may be gone. Ask for --from {ask} or later."
    )
