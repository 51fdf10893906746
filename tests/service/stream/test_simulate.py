"""The simulator at a broker: what it says it has sent, and what it ends with if it cannot."""

from __future__ import annotations

import re
import threading
from collections import Counter

import pytest
from worker_process import read_topic, working

from churn.errors import ChurnError, InputError
from churn.feature_store.online.address import open_online_store
from service.stream.simulate import EventSender, simulate
from service.stream.simulated_events import KIND_HEADER, SimulatedEvent
from service.stream.stream_settings import read_settings

FEW = {"rate": "2000", "events": "300", "customers": "50", "poison": "0.1"}


@pytest.fixture
def environment(broker, topics):
    return {
        "CHURN_KAFKA_SERVERS": broker.address,
        "CHURN_INPUT_TOPIC": topics["input"],
        "CHURN_OUTPUT_TOPIC": topics["output"],
        "CHURN_DEAD_LETTER_TOPIC": topics["dead_letter"],
    }


def sent_kinds(said: str) -> dict[str, int]:
    return {kind: int(count) for kind, count in re.findall(r"^  (\w+) +(\d+)$", said, re.MULTILINE)}


def test_what_it_says_is_what_is_on_the_topic(environment, broker, topics, contract, tmp_path):
    store = f"sqlite:///{tmp_path / 'online.db'}"
    said = simulate(FEW, environment | {"CHURN_ONLINE_STORE": store}, threading.Event())
    records = read_topic(broker.address, topics["input"], 300)
    kinds = Counter(dict(each.headers)[KIND_HEADER].decode() for each in records)
    assert said.startswith(f"300 events to {topics['input']} in ")
    assert {kind: count for kind, count in sent_kinds(said).items() if count} == kinds
    assert kinds["partial"] > 50
    with open_online_store(contract, store) as opened:  # so that updates find their customers
        assert opened.read("synthetic-7-000000050").row["gender"] in {"Male", "Female"}


def test_the_worker_rejects_the_poison_and_scores_everything_else(
    environment, settings, broker, topics, tmp_path
):
    store = f"sqlite:///{tmp_path / 'online.db'}"
    shares = dict.fromkeys(("late", "out_of_order", "duplicated", "poison"), "0.1")
    given = {"rate": "2000", "events": "600", "customers": "50", **shares}
    sent = sent_kinds(
        simulate(given, environment | {"CHURN_ONLINE_STORE": store}, threading.Event())
    )
    with working(settings | {"online_store": store}):
        rejected = read_topic(broker.address, topics["dead_letter"], sent["poison"])
        scored = read_topic(broker.address, topics["output"], 600 - sent["poison"])
    kinds = [Counter(dict(each.headers)[KIND_HEADER].decode() for each in records)
             for records in (rejected, scored)]  # fmt: skip
    assert kinds[0] == {"poison": sent["poison"]}
    assert kinds[1] == {kind: count for kind, count in sent.items() if count and kind != "poison"}
    reasons = Counter(dict(each.headers)["churn-kind"] for each in rejected)
    assert len(reasons) >= 8, reasons


def test_without_an_online_store_it_sends_no_updates_unless_asked(environment):
    said = sent_kinds(simulate({**FEW, "late": "0.2"}, environment, threading.Event()))
    assert said["partial"] == said["out_of_order"] == 0
    assert said["late"] > 20


def test_it_stops_when_it_is_asked_to_and_waits_for_what_it_sent(environment):
    stop, sender = threading.Event(), EventSender(read_settings(environment))

    def events():
        for number in range(1000):
            if number == 10:
                stop.set()
            yield SimulatedEvent("full", 0.0, b"a", b"{}", ())

    sender.send(events(), stop)
    assert sender.sent == {"full": 10}


def test_a_topic_that_does_not_exist_is_a_sentence(environment):
    with pytest.raises(InputError, match="The topic 'nowhere' does not exist"):
        simulate(FEW, environment | {"CHURN_INPUT_TOPIC": "nowhere"}, threading.Event())


def test_streams_in_redis_are_not_kafka(environment):
    redis = {"CHURN_TRANSPORT": "redis", "CHURN_STREAM_REDIS": "redis://127.0.0.1:1/0"}
    with pytest.raises(
        InputError, match="CHURN_TRANSPORT is redis, and this command speaks to Kafka"
    ):
        simulate(FEW, environment | redis, threading.Event())


def test_no_broker_is_a_sentence(environment):
    with pytest.raises(
        ChurnError, match=r"No broker answers at 127\.0\.0\.1:1 .*Start one"
    ) as caught:
        simulate({**FEW, "servers": "127.0.0.1:1"}, environment, threading.Event())
    assert caught.value.exit_code == 1


def test_a_store_that_cannot_be_used_ends_it_before_the_first_event(environment, broker, topics):
    with pytest.raises(InputError, match="online store"):
        simulate(
            FEW, environment | {"CHURN_ONLINE_STORE": "sqlite:////proc/no/a.db"}, threading.Event()
        )
    assert read_topic(broker.address, topics["input"], 0) == []


@pytest.mark.parametrize("start", ["yesterday", "2026-11-30T10:00:00"])
def test_a_start_without_a_zone_is_a_sentence(environment, start):
    with pytest.raises(InputError, match="no time with a zone"):
        simulate({**FEW, "start": start}, environment, threading.Event())


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_start_at_the_end_of_time_is_a_sentence(environment, start):
    with pytest.raises(InputError, match="Give a time from 1970 to 9998"):
        simulate({"start": start, "partial": "1"}, environment, threading.Event())
