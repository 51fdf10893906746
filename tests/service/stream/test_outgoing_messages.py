"""What is written of a batch: whose headers it has, its key, its value."""

from datetime import UTC, datetime

import pytest

from service.core.score_answer import ScoreAnswer
from service.stream.message_scoring import ScoredBatch, ScoredMessage
from service.stream.messages import Message, Rejection
from service.stream.outgoing_messages import REASON_HEADERS, outgoing_messages
from service.stream.stream_settings import StreamSettings

SETTINGS = StreamSettings(max_message_bytes=2000)
HEADERS = (("trace", b"\x00\xff"), ("trace", b"2"), ("empty", b""))


def message(**changed):
    fields = {"topic": "t", "partition": 3, "offset": 41, "timestamp": 1, "key": b"\xff\x00k"}
    return Message(**fields | {"value": b"{}", "headers": HEADERS} | changed)


def score_of(source):
    answer = ScoreAnswer("id", 0.25, False, "low", "7")
    scored = ScoredMessage(source, "customer", answer, datetime.now(UTC))
    (written,) = outgoing_messages(ScoredBatch(scored=[scored]), SETTINGS)
    return written


def letter_of(source, why="Why."):
    (written,) = outgoing_messages(
        ScoredBatch(rejected=[(source, Rejection("field", why, field="tenure"))]), SETTINGS
    )
    return written


def test_a_score_has_the_headers_of_its_message_in_their_order():
    source = message()
    written = score_of(source)

    assert written.source is source
    assert (written.topic, written.key) == ("churn-scores", b"customer")
    assert written.headers == list(HEADERS)
    assert written.value.startswith(b'{"prediction_id":"id","probability":0.25')


def test_a_rejected_message_is_itself_and_its_reason_follows_its_own_headers():
    source = message()
    written = letter_of(source)

    assert written.source is source
    assert (written.topic, written.key, written.value) == ("churn-rejected", b"\xff\x00k", b"{}")
    assert written.headers[:3] == list(HEADERS)
    reasons = dict(written.headers[3:])
    assert tuple(reasons) == REASON_HEADERS
    assert float(reasons.pop("churn-rejected-at")) > 1.7e9
    assert reasons == {
        "churn-reason": b"Why.", "churn-kind": b"field", "churn-field": b"tenure",
        "churn-topic": b"t", "churn-partition": b"3", "churn-offset": b"41",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "written"),
    [(b"k", None, None), (b"", None, None), (None, None, b""), (None, b"", b""), (b"k", b"", b"")],
)
def test_a_tombstone_stays_one(key, value, written):
    """Without a key it is none, and kafka-python writes no message that has neither."""
    letter = letter_of(message(key=key, value=value))

    assert (letter.key, letter.value) == (key, written)


def test_a_message_that_was_rejected_before_has_the_reason_of_this_time_alone():
    source = message(headers=(("churn-reason", b"Before."), ("churn-tenant", b"a")))

    assert score_of(source).headers == [("churn-tenant", b"a")]
    assert [value for name, value in letter_of(source).headers if name == "churn-reason"] == [
        b"Why."
    ]


def test_a_header_without_a_value_has_an_empty_one():
    assert score_of(message(headers=(("none", None),))).headers == [("none", b"")]


@pytest.mark.parametrize(("more", "kept"), [(0, True), (1, False)])
def test_the_limit_counts_key_value_and_headers(more, kept):
    headers = (("abcd", b"\0" * 496), ("é", None))
    source = message(key=b"k" * 500, value=b"v" * (998 + more), headers=headers)

    letter = letter_of(source)

    assert source.size == 2000 + more
    assert ((letter.key, letter.value) == (source.key, source.value)) is kept
    assert (("abcd", b"\0" * 496) in letter.headers) is kept
    assert kept or (letter.key, letter.value) == (None, b"")


@pytest.mark.parametrize(("length", "kept"), [(2000, 2000), (2001, 2000)])
def test_a_long_reason_is_cut(length, kept):
    assert len(dict(letter_of(message(), "x" * length).headers)["churn-reason"]) == kept
