"""The latest score in Redis: no message's score stands where a later message's was."""

from datetime import UTC, datetime

import pytest
from redis import Redis

from service.core.score_answer import ScoreAnswer
from service.stream.latest_scores import KEY, LatestScores
from service.stream.message_scoring import ScoredMessage
from service.stream.messages import Message

AT = datetime(2026, 11, 30, 10, tzinfo=UTC)


def scored(offset, probability, *, topic="t", partition=0, customer="C1", version="1"):
    answer = ScoreAnswer(f"p-{offset}", probability, False, "low", version)
    return ScoredMessage(Message(topic, partition, offset, 1, None, b""), customer, answer, AT)


@pytest.fixture
def redis(running_redis):
    client = Redis.from_url(running_redis, decode_responses=True)
    client.delete(*(KEY + name for name in ("C1", "C2")))
    yield client
    client.close()


@pytest.fixture
def latest(running_redis):
    scores = LatestScores(running_redis, 1000)
    yield scores
    scores.close()


@pytest.mark.parametrize(
    ("held", "given", "is_replaced"),
    [
        (scored(7, 0.1), scored(8, 0.2), True),
        (scored(8, 0.1), scored(7, 0.2), False),
        (scored(9, 0.1), scored(10, 0.2), True),  # as texts they would sort the other way
        (scored(10, 0.1), scored(9, 0.2), False),
        (scored(2**53 + 1, 0.1), scored(2**53, 0.2), False),
        (scored(2**53, 0.1), scored(2**53 + 1, 0.2), True),
        (scored(7, 0.1), scored(7, 0.2, version="2"), True),  # scored again by another version
        (scored(7, 0.1), scored(3, 0.2, partition=1), True),
        (scored(7, 0.1), scored(3, 0.2, topic="u"), True),
    ],
)
def test_an_older_message_of_the_partition_replaces_nothing(
    redis, latest, held, given, is_replaced
):
    latest.write([held, scored(1, 0.5, customer="C2")])
    latest.write([given])

    kept = redis.hgetall(KEY + "C1")
    winner = given if is_replaced else held
    assert float(kept["probability"]) == winner.answer.probability
    assert kept["prediction_id"] == winner.answer.prediction_id
    assert (kept["topic"], kept["partition"], kept["offset"]) == (
        winner.message.topic,
        str(winner.message.partition),
        str(winner.message.offset),
    )
    assert redis.hget(KEY + "C2", "probability") == "0.5"
    assert 0 < redis.ttl(KEY + "C1") <= 1000


def test_of_a_batch_the_last_of_each_customer_is_written(redis, latest):
    latest.write([])
    latest.write([scored(1, 0.1), scored(2, 0.2), scored(2, 0.3, customer="C2")])

    assert [redis.hget(KEY + name, "probability") for name in ("C1", "C2")] == ["0.2", "0.3"]


def test_a_score_that_an_earlier_release_wrote_is_replaced(redis, latest):
    redis.hset(KEY + "C1", mapping={"probability": "0.9"})
    latest.write([scored(1, 0.1)])

    assert redis.hget(KEY + "C1", "probability") == "0.1"
