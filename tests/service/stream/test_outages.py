"""The group, the brokers, the ledger or Redis do not answer: the worker waits for them."""

import json
import signal

import pytest
from worker_process import starting, wait_until, working

from tests.servers.kafka_proxy import refuse_messages
from tests.servers.process import free_port

pytestmark = pytest.mark.system


def test_a_ledger_that_cannot_be_written_holds_the_messages_back_and_sigterm_still_ends_it(
    settings, outside, customers
):
    outside.send(customers[:5])

    with working(settings, ledger="sqlite:////proc/none/ledger.db") as worker:
        worker.wait_for("ledger_failed")
        state = wait_until(lambda: ready if "ledger" in (ready := worker.ready())["reasons"] else 0)
        code = worker.stop()
    committed = outside.committed(settings["group"])

    assert state["ready"] is False
    assert "cannot be used" in state["reasons"]["ledger"]
    assert code == 0
    assert committed == 0


def test_a_batch_held_back_while_another_worker_joins_is_read_again(
    broker, settings, outside, customers, redis_server
):
    """The group waits for the first worker when that wants to commit: it goes on.

    A transaction is committed even then: the partitions are its worker's until that has joined again.
    Kafka takes the other commit, too; noida-db refuses it.
    """
    settings = settings | {"transactions": False}
    outside.send(customers[:30])

    with working(settings, redis=redis_server.address) as first:
        first.wait_for("redis_failed")
        held = first.ready()
        with working(settings, redis=redis_server.address) as second:
            wait_until(
                lambda: broker.group_state(settings["group"]) == "PreparingRebalance",
                lambda: broker.group_state(settings["group"]),
            )
            redis_server.start()
            wait_until(lambda: outside.committed(settings["group"]) == 30, first.ready)
            wait_until(lambda: first.ready()["ready"], first.ready)
            wait_until(lambda: second.ready()["ready"], second.ready)
            outside.send(customers[30:60])
            # Counting answers would not do: those to the first thirty may be there twice.
            wait_until(lambda: outside.committed(settings["group"]) == 60, second.ready)
            answers = outside.read("output", 60)
            codes = first.stop(), second.stop()

    assert held["ready"] is False
    assert "redis" in held["reasons"]
    assert bool(first.logged("commit_refused")) is not broker.is_real
    assert codes == (0, 0)
    values_of = {}
    for record in answers:
        values_of.setdefault(record.key.decode(), set()).add(record.value)
    assert set(values_of) == {customer["customerID"] for customer in customers[:60]}
    assert all(len(values) == 1 for values in values_of.values())


def test_brokers_that_go_away_and_come_back_find_the_worker_as_it_was(
    broker, settings, outside, customers
):
    if broker.is_real:
        pytest.skip("CHURN_TEST_KAFKA names a broker that no test stops")
    with working(settings) as worker:
        outside.send(customers[:10])
        outside.read("output", 10)
        wait_until(lambda: outside.committed(settings["group"]) == 10)
        broker.stop()
        try:
            away = wait_until(
                lambda: ready if "kafka" in (ready := worker.ready())["reasons"] else None
            )
        finally:
            broker.start()
        wait_until(lambda: worker.ready()["ready"], worker.ready)
        outside.send(customers[10:20])
        answers = outside.read("output", 20)
        code = worker.stop()

    assert away["ready"] is False
    assert {record.key.decode() for record in answers} == {
        customer["customerID"] for customer in customers[:20]
    }
    assert code == 0
    assert all("unreadable" not in json.dumps(line) for line in worker.lines)


def test_without_brokers_it_says_so_and_a_signal_sent_twice_ends_it_in_order(settings):
    nowhere = f"127.0.0.1:{free_port()}"

    with starting(settings | {"kafka_servers": nowhere}) as worker:
        worker.wait_for("kafka_failed")
        state = worker.ready()
        worker.process.send_signal(signal.SIGTERM)
        code = worker.stop()

    (reason,) = state["reasons"].values()
    assert reason.startswith(f"No broker answers at {nowhere} (")
    assert reason.endswith("). Start one, or set CHURN_KAFKA_SERVERS.")
    assert code == 0
    assert worker.logged("stopped")


def test_messages_wait_while_brokers_have_too_few_replicas(
    proxy, settings, topics, outside, customers
):
    outside.send(customers[:5])
    proxy.answers = refuse_messages(topics["output"], 19)

    with working(settings, kafka_servers=proxy.address) as worker:
        worker.wait_for("kafka_failed")
        state, committed = worker.ready(), outside.committed(settings["group"])
        proxy.answers = {}
        answers = outside.read("output", 5)
        wait_until(lambda: outside.committed(settings["group"]) == 5, worker.ready)
        code = worker.stop()

    assert "kafka" in state["reasons"]
    assert committed == 0
    assert {each.key.decode() for each in answers} == {c["customerID"] for c in customers[:5]}
    assert code == 0
