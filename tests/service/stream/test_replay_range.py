"""Which offsets a replay reads: both edges, each bound, and a topic that has lost its start."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from kafka import TopicPartition

from churn.errors import InputError
from service.stream.replay_range import (
    find_emptied,
    find_ranges,
    read_edge,
    read_time,
    require_forward,
)

TEN = datetime(2026, 11, 30, 10, tzinfo=UTC)
MILLISECONDS = int(TEN.timestamp() * 1000)
FIRST, SECOND = TopicPartition("customers", 0), TopicPartition("customers", 1)


class Found(NamedTuple):
    offset: int
    timestamp: int


class Reader:
    """Partitions whose message k was written k seconds after ten; the oldest are gone."""

    def __init__(self, **held: range) -> None:
        self._held = {
            TopicPartition("customers", int(name[1:])): each for name, each in held.items()
        }

    def beginning_offsets(self, partitions):
        return {each: self._held[each].start for each in partitions}

    def end_offsets(self, partitions):
        return {each: self._held[each].stop for each in partitions}

    def offsets_for_times(self, times):
        found = {}
        for each, at in times.items():
            later = (k for k in self._held[each] if MILLISECONDS + 1000 * k >= at)
            offset = next(later, None)
            found[each] = None if offset is None else Found(offset, MILLISECONDS + 1000 * offset)
        return found


def ranges(reader, first, last=None):
    found = find_ranges(reader, [FIRST, SECOND], first, last)
    return tuple((found[each].start, found[each].stop) for each in (FIRST, SECOND))


def seconds(count):
    return TEN + timedelta(seconds=count)


WHOLE = Reader(p0=range(10), p1=range(4))


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (0, None, ((0, 10), (0, 4))),
        (3, 9, ((3, 9), (3, 4))),
        (3, 10**30, ((3, 10), (3, 4))),
        (9, 10, ((9, 10), (9, 4))),  # the second partition ends before
        (seconds(0), None, ((0, 10), (0, 4))),
        (seconds(3), seconds(9), ((3, 9), (3, 4))),
        (seconds(2.5), seconds(3.001), ((3, 4), (3, 4))),
        (seconds(-9), seconds(99), ((0, 10), (0, 4))),
        (2, seconds(3), ((2, 3), (2, 3))),
    ],
)
def test_the_first_edge_is_included_and_the_last_is_not(first, last, expected):
    assert ranges(WHOLE, first, last) == expected


@pytest.mark.parametrize(
    ("first", "last"), [(5, 5), (6, 5), (seconds(5), seconds(5)), (seconds(6), TEN)]
)
def test_a_backward_range_is_a_sentence(first, last):
    with pytest.raises(InputError, match="The range is backward or empty: --from is"):
        require_forward(first, last)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (10, None),
        (10**30, None),
        (seconds(9.001), None),
        (seconds(-9), seconds(-8)),
        (8, seconds(3)),
    ],
)
def test_a_range_without_a_message_says_what_there_is(first, last):
    with pytest.raises(InputError, match=r"no message in the range.* 0: 0 to 10, 1: 0 to 4"):
        ranges(WHOLE, first, last)


LOST = Reader(p0=range(5, 10), p1=range(4))


@pytest.mark.parametrize(
    ("first", "last", "ask"),
    [
        (4, None, "5"),
        (0, 2, "5"),
        (seconds(1), None, r"2026-11-30T10:00:05.001\+00:00"),
        (seconds(5), None, r"2026-11-30T10:00:05.001\+00:00"),
        (seconds(1), seconds(3), r"2026-11-30T10:00:05.001\+00:00"),
    ],
)
def test_a_topic_that_has_lost_the_start_of_the_range_is_a_sentence(first, last, ask):
    with pytest.raises(InputError, match=f"0 of 'customers' has lost its start.* --from {ask} or"):
        ranges(LOST, first, last)


def test_a_partition_that_holds_nothing_any_more_is_found():
    reader = Reader(p0=range(5, 5), p1=range(0))

    assert find_emptied(reader, [FIRST, SECOND]) == [0]
    assert find_emptied(WHOLE, [FIRST, SECOND]) == []


def test_what_a_topic_lost_before_the_range_does_not_matter():
    assert ranges(LOST, 5) == ((5, 10), (5, 4))
    assert ranges(LOST, seconds(5.001)) == ((6, 10), (4, 4))


def test_an_edge_is_a_time_with_a_zone_or_an_offset():
    assert read_edge("--from", "1500") == 1500
    assert read_edge("--from", "2026-11-30T11:00:00+01:00") == TEN
    assert read_edge("--from", "2026-11-30T10:00:00Z") == TEN


@pytest.mark.parametrize(
    "text",
    ["-1", "1.5", "yesterday", "2026-11-30", "", "٣", "0001-01-01T00:00:00+23:59", "9" * 5000],
)
def test_what_is_neither_is_a_sentence(text):
    with pytest.raises(InputError, match=re.escape(f"--from is '{text}', which is neither")):
        read_edge("--from", text)


def test_a_time_needs_its_zone():
    with pytest.raises(
        InputError, match="--start is '2026-11-30T10:00:00', which is no time with a"
    ):
        read_time("--start", "2026-11-30T10:00:00")
