"""What the brokers delete before it is read is said, whichever client reads."""

from __future__ import annotations

import json

import pytest
from kafka_batches import batch_of, read, rejected, with_checksum

from service.stream.next_offsets import NextOffsets
from service.stream.transports import open_session

PLACE = ("customers", 0)


@pytest.fixture
def said(capsys):
    """What was said since the last call: the offset that was expected, and the one it goes on at."""

    def read_log():
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
        return [
            (each["partition"], each["expected"], each["goes_on_at"])
            for each in lines
            if each["event"] == "start_lost"
        ]

    return read_log


@pytest.mark.parametrize("transport", ["kafka", "confluent"])
def test_a_worker_whose_next_message_is_gone_says_where_it_goes_on(broker, stream, transport, said):
    settings = stream.model_copy(update={"transport": transport, "batch_messages": 2})
    values = (b"1", b"2", b"3", b"4", b"5", b"6")
    broker.write_batch(settings.input_topic, 0, with_checksum(batch_of(*values)))
    first = open_session(settings)
    first.send(rejected(read(first, 2)))
    first.commit()
    first.close()
    before = said()
    broker.delete_before(settings.input_topic, 0, 4)

    second = open_session(settings)
    messages = read(second, 2)
    other = open_session(settings.model_copy(update={"group": f"{settings.group}-2"}))
    read(other, 2)

    assert before == []
    assert [each.value for each in messages] == [b"5", b"6"]
    assert said() == [(0, 2, 4), (0, 0, 4)]
    # A group that has read nothing of a topic yet has lost nothing of it.
    assert (second.count_lost(), second.count_lost(), other.count_lost()) == (2, 0, 0)
    second.close()
    other.close()


@pytest.mark.parametrize(
    ("committed", "start", "end", "lost", "expected"),
    [
        (None, 0, 9, 0, []),
        (None, 1, 9, 0, [(0, 0, 1)]),
        (4, 4, 9, 0, []),
        (4, 5, 9, 1, [(0, 4, 5)]),
        (4, 9, 9, 5, [(0, 4, 9)]),  # all of it is gone
        (8, 9, 9, 1, [(0, 8, 9)]),  # maybe a transaction's mark, which nobody knows any more
        (9, 4, 9, 0, []),
        (9, 0, 8, 0, [(0, 9, 0)]),  # the topic was made anew
    ],
)
def test_a_commit_that_is_not_on_the_topic_is_said(said, committed, start, end, lost, expected):
    offsets = NextOffsets(lambda _: 0)

    offsets.begin(PLACE, committed, start, end)

    assert said() == expected
    assert offsets.count_lost() == lost


@pytest.mark.parametrize(
    ("start", "then", "lost", "expected"),
    [
        (0, [3, 4], 0, []),
        (4, [4, 5], 1, [(0, 3, 4)]),
        (3, [4, 5], 0, []),  # offset 3 is the mark of a transaction
        (0, [3, 5, 6], 0, []),
        (5, [3, 5, 6], 1, [(0, 4, 5)]),
        (9, [3, 5, 7, 9], 1, [(0, 4, 5)]),  # the brokers delete faster than it reads
        (5, [7], 2, [(0, 3, 5)]),
        (0, [1, 2], 0, []),  # a batch that is read again
    ],
)
def test_offsets_that_are_left_out_are_lost_if_the_topic_begins_after_them(
    said, start, then, lost, expected
):
    offsets = NextOffsets(lambda _: start)
    offsets.begin(PLACE, 1, 0, 9)

    offsets.read(PLACE, [1, 2])
    offsets.read(PLACE, then)

    assert said() == expected
    assert offsets.count_lost() == lost


def test_the_brokers_are_asked_only_where_offsets_are_left_out():
    offsets = NextOffsets(lambda _: pytest.fail("asked"))
    offsets.begin(PLACE, None, 0, 9)

    offsets.read(PLACE, [0, 1])
    offsets.read(PLACE, [2])


def test_a_partition_that_comes_back_begins_anew(said):
    offsets = NextOffsets(lambda _: 7)
    other = ("customers", 1)

    new = offsets.keep([other, PLACE])
    offsets.begin(PLACE, 2, 0, 9)
    offsets.begin(other, 2, 0, 9)
    left = offsets.keep([other])
    again = offsets.keep([PLACE, other])
    offsets.begin(PLACE, 7, 7, 9)  # another worker has read it to here meanwhile
    offsets.read(PLACE, [7])

    assert (new, left, again) == ([PLACE, other], [], [PLACE])
    assert said() == []
