"""Workers of one group: each has a share of the partitions."""

from __future__ import annotations

import json

import pytest
from worker_process import read_topic, wait_until, working

from churn.ledger.predictions import PredictionLedger
from service.stream.kafka_clients import message_of

pytestmark = pytest.mark.system

SOME = slice(0, 30)


def by_customer(records, prediction_id):
    """The prediction ids of a topic's messages, in the order of each customer."""
    found = {}
    for each in records:
        found.setdefault(each.key, []).append(prediction_id(each))
    return found


def id_of_input(record):
    return message_of(record).prediction_id


def id_of_answer(record):
    return json.loads(record.value)["prediction_id"]


@pytest.mark.parametrize("transport", ["kafka", "confluent"])
def test_a_second_worker_joins_and_each_customers_events_stay_in_order(
    transport, settings, broker, topics, outside, customers
):
    settings |= {"transport": transport, "batch_messages": 5}
    sent = 0

    def send():
        nonlocal sent
        outside.send({**row, "tenure": sent % 70 + 1} for row in customers[SOME])
        sent += 30
        return False

    def is_done():
        return outside.committed(settings["group"]) == sent

    for _ in range(10):
        send()
    with working(settings) as first:
        outside.wait_for_some("output", 50)
        with working(settings) as second:
            # The first one has always something to do until the second one has its share.
            wait_until(lambda: second.metric("churn_stream_partitions") or (is_done() and send()))
            for _ in range(5):
                send()
            wait_until(is_done, first.ready)
            shares = [each.metric("churn_stream_scored_total") for each in (first, second)]
            codes = first.stop(), second.stop()

    sent_ids = by_customer(read_topic(broker.address, topics["input"], sent), id_of_input)
    answered = by_customer(outside.read("output", sent), id_of_answer)
    assert codes == (0, 0)
    assert all(shares)
    assert sum(map(len, sent_ids.values())) == sent
    assert answered == sent_ids
    kept = [each.prediction_id for each in PredictionLedger(settings["ledger"]).predictions()]
    assert sorted(kept) == sorted(each for ids in sent_ids.values() for each in ids)
