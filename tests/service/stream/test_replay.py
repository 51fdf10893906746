"""Replay at a broker: another version's scores, ids of their own, and nothing else touched."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis
from worker_process import read_topic

from churn.errors import InputError
from churn.feature_store.online.address import open_online_store
from churn.feature_store.online.stored_customer import CustomerUpdate
from churn.ledger.predictions import PredictionLedger
from service.stream.messages import Message
from service.stream.replay import main, replay
from service.stream.replayed_messages import ORIGINAL_HEADER

FOUR = slice(0, 4)


@pytest.fixture
def environment(settings):
    """The worker's settings, by which a replay finds everything."""
    return {f"CHURN_{name.upper()}": str(value) for name, value in settings.items()}


@pytest.fixture
def again(broker, request, environment):
    """Replays into a topic of the test's own; what is said, and the topic's records."""
    topic = f"again-{abs(hash(request.node.name))}"
    broker.topics(topic)

    def run(*arguments, version="2", **more):
        options = ["--version", version, "--output-topic", topic, *arguments]
        said = replay(options, environment | more)
        return said, read_topic(broker.address, topic, 0)

    return run


def test_it_scores_the_range_with_the_other_version_and_touches_nothing_else(
    again, outside, broker, topics, customers, scorers, environment
):
    outside.send([*customers[FOUR], b"no customer"])
    said, records = again("--from", "0")
    assert "5 messages of" in said
    assert "4 scores of version 2" in said
    assert said.endswith("1 rejected (not_json 1)")
    rows = {row["customerID"]: row for row in customers[FOUR]}
    for record in records:
        answer = json.loads(record.value)
        expected = scorers["2"].score_one(rows.pop(record.key.decode()))
        assert answer["probability"] == expected.probability
        assert answer["model_version"] == "2"
    assert not rows
    assert read_topic(broker.address, topics["output"], 0) == []
    assert read_topic(broker.address, topics["dead_letter"], 0) == []
    assert not Path(environment["CHURN_LEDGER"].removeprefix("sqlite:///")).exists()
    assert outside.committed(topics["input"]) == 0


def test_ids_are_the_replays_own_and_name_the_workers(again, outside, broker, topics, customers):
    outside.send(customers[FOUR])
    live = {
        Message(
            topics["input"], each.partition, each.offset, each.timestamp, None, None
        ).prediction_id
        for each in read_topic(broker.address, topics["input"], 4)
    }
    again("--from", "0")
    again("--from", "0", version="1")
    _, records = again("--from", "0")
    ids = [json.loads(each.value)["prediction_id"] for each in records]
    assert len(ids) == 12
    assert len(set(ids)) == 8  # of two versions; the third replay repeats the first
    assert live.isdisjoint(ids)
    assert {dict(each.headers)[ORIGINAL_HEADER].decode() for each in records} == live


def test_updates_are_completed_in_memory_and_the_store_stays_as_it_was(
    again, outside, customers, scorers, contract, tmp_path
):
    address, row = f"sqlite:///{tmp_path / 'as-it-was.db'}", customers[0]
    fields = {name: value for name, value in row.items() if name != "customerID"}
    at = "2020-01-02T10:00:0{}Z".format
    outside.send(
        {"customerID": row["customerID"], "changes": {name: value}, "at": at(second)}
        for second, name, value in (
            (2, "tenure", 50),
            (1, "tenure", 2),
            (3, "Contract", "Two year"),
        )
    )
    with open_online_store(contract, address) as store:
        store.write([CustomerUpdate(row["customerID"], datetime(2020, 1, 1, tzinfo=UTC), fields)])
        # Read one by one, so that an update meets those of the batches before it.
        _, records = again("--from", "0", "--online-store", address, CHURN_BATCH_MESSAGES="1")
        assert store.read(row["customerID"]).row == fields
    changed = row | {"tenure": 50, "Contract": "Two year"}
    last = json.loads(records[-1].value)["probability"]
    assert last == scorers["2"].score_one(changed).probability


def test_without_a_store_updates_are_rejected_and_counted(again, outside, customers):
    update = {"customerID": "a", "changes": {"tenure": 2}, "at": "2020-01-02T10:00:00Z"}
    outside.send([customers[0], update])
    said, _ = again("--from", "0")
    assert "1 rejected (update 1)" in said


def test_ledger_and_redis_are_written_where_that_is_asked_for(
    again, outside, customers, redis_server, environment
):
    redis_server.start()
    outside.send(customers[FOUR])
    _, records = again("--from", "0", "--ledger", "--redis", CHURN_REDIS=redis_server.address)
    with PredictionLedger(environment["CHURN_LEDGER"]) as ledger:
        rows = list(ledger.predictions())
    assert {each.prediction_id for each in rows} == {
        json.loads(each.value)["prediction_id"] for each in records
    }
    assert {(each.role, each.source, each.version) for each in rows} == {("shadow", "replay", "2")}
    with Redis.from_url(redis_server.address) as redis:
        assert len(redis.keys("churn:score:*")) == 4


@pytest.mark.parametrize(
    ("arguments", "more", "sentence"),
    [
        (["--version", "../2"], {}, r"--version is '\.\./2', which is no such name"),
        (["--output-topic", "{output}"], {}, "which the worker uses"),
        (["--output-topic", "a b"], {}, "--output-topic is 'a b', which is no such name"),
        (["--ledger"], {"CHURN_LEDGER": "none"}, "--ledger needs CHURN_LEDGER, and it is 'none'"),
        (["--redis"], {}, "--redis needs CHURN_REDIS"),
        (["--from", "7"], {}, "has no message in the range"),
        (["--from", "2", "--to", "1"], {}, "backward or empty"),
        (["--online-store", "here"], {}, "The online store's address is none"),
        ([], {"CHURN_INPUT_TOPIC": "nowhere"}, "The topic 'nowhere' does not exist"),
    ],
)
def test_what_is_not_possible_is_a_sentence_and_writes_nothing(
    again, outside, customers, topics, arguments, more, sentence
):
    outside.send(customers[FOUR])
    named = [each.format(**topics) for each in arguments]
    with pytest.raises(InputError, match=sentence):
        again("--from", "0", *named, **more)


def test_an_unknown_version_names_those_that_there_are(again):
    with pytest.raises(InputError, match=r"has no version '9'. It has 1, 2\."):
        again("--from", "0", version="9")


def test_no_broker_is_a_sentence_and_exit_code_1(environment, monkeypatch, capsys):
    for name in [name for name in os.environ if name.startswith("CHURN_")]:
        monkeypatch.delenv(name)  # of whoever runs the tests
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    options = ["--version", "2", "--from", "0", "--output-topic", "again"]
    assert main([*options, "--servers", "127.0.0.1:1"]) == 1
    assert capsys.readouterr().err.startswith("No broker answers at 127.0.0.1:1 ")


def test_a_topic_that_has_lost_its_start_is_a_sentence(again, outside, broker, topics, customers):
    outside.send(customers[:30])
    outside.wait_for_some("input", 30)
    broker.delete_before(topics["input"], 1, 2)
    with pytest.raises(
        InputError, match=r"Partition 1 of .* has lost its start.*--from 2 or later"
    ):
        again("--from", "0")
    said, records = again("--from", "2")
    assert f" {len(records)} scores" in said


def test_a_partition_that_has_lost_all_of_its_messages_is_said(
    again, outside, broker, topics, customers, capsys
):
    outside.send(customers[:30])
    outside.wait_for_some("input", 30)
    broker.delete_before(topics["input"], 1, -1)
    said, records = again("--from", "2020-01-01T00:00:00Z")
    assert f" {len(records)} scores" in said
    assert 0 < len(records) < 30
    assert (
        f"'{topics['input']}' holds no message any more in partition 1." in capsys.readouterr().err
    )
