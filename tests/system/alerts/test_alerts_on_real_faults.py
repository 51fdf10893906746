"""Debian's Prometheus scrapes a real worker and a real service: each fault fires its own alert."""

import sqlite3
from contextlib import closing

import pytest
from worker_process import Outside, starting, wait_until, working

from churn.ledger.predictions import PredictionLedger
from churn.scoring.current import CURRENT
from tests.servers.churn_api import serving
from tests.servers.ledger_files import current_month

TOPICS = {"input": "customers", "output": "scores", "dead_letter": "rejected"}


@pytest.fixture
def outside(broker):
    client = Outside(broker.address, TOPICS)
    yield client
    client.close()


@pytest.fixture
def settings(broker, store):
    names = {f"{kind}_topic": name for kind, name in TOPICS.items()}
    return names | {
        "kafka_servers": broker.address, "store": store, "ledger": "none", "poll_seconds": 0.1,
        "session_seconds": 6, "port": 0, "group": "workers",
    }  # fmt: skip


def port_of(worker):
    return worker.wait_for("listening")["port"]


def fires(prometheus, *alerts):
    """Waits until these alerts fire together, and returns all that do."""
    return wait_until(
        lambda: now if (now := prometheus.firing()) >= set(alerts) else None, prometheus.firing
    )


def calms_down(prometheus):
    wait_until(lambda: not prometheus.firing(), prometheus.firing)


def test_a_worker_that_works_is_silent_and_one_that_is_killed_is_not(
    settings, outside, customers, prometheus
):
    with working(settings) as worker:
        watching = prometheus(churn_stream=port_of(worker))
        outside.send(customers[:100])
        wait_until(lambda: outside.committed("workers") == 100)
        wait_until(watching.scraped)
        quiet = watching.firing()
        worker.kill()
        loud = fires(watching, "ChurnStreamDown")

    assert (quiet, loud) == (set(), {"ChurnStreamDown"})


def test_a_batch_that_cannot_be_read_takes_the_worker_down_whenever_it_is_started(
    broker, settings, outside, customers, prometheus
):
    """As Kubernetes starts it: again and again, on the same address."""
    from kafka.record.memory_records import MemoryRecordsBuilder

    builder = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=10_000)
    builder.append(None, b"k", b"{}", [])
    builder.close()
    batch = bytearray(builder.buffer())
    batch[22] = 3  # "this is lz4", which it is not
    batch[17:21] = _checksum(batch[21:])

    with working(settings, instance="one") as worker:
        port = port_of(worker)
        watching = prometheus(churn_stream=port)
        wait_until(watching.scraped)
        quiet = watching.firing()
        broker.write_batch("customers", 0, bytes(batch))
        first = worker.wait_for("ended")
        codes = [worker.process.wait(60)]
    for _ in range(3):
        with starting(settings | {"instance": "one", "port": port}) as worker:
            again = worker.wait_for("ended")
            codes.append(worker.process.wait(60))

    assert (first["partition"], first["offset"]) == (again["partition"], again["offset"]) == (0, 0)
    assert codes == [1, 1, 1, 1]
    assert quiet == set()
    assert fires(watching, "ChurnStreamDown") == {"ChurnStreamDown"}


def _checksum(content):
    from kafka.record.util import calc_crc32c

    return calc_crc32c(bytes(content)).to_bytes(4, "big")


def test_brokers_that_are_away_leave_the_worker_blind_until_they_are_back(
    broker, settings, prometheus
):
    with working(settings) as worker:
        watching = prometheus(churn_stream=port_of(worker))
        wait_until(lambda: worker.ready()["ready"], worker.ready)
        wait_until(watching.scraped)
        quiet = watching.firing()
        broker.stop()
        loud = fires(watching, "ChurnStreamBlind")
        broker.start()
        calms_down(watching)

    assert (quiet, loud) == (set(), {"ChurnStreamBlind"})


def test_a_ledger_that_cannot_be_written_leaves_the_worker_stuck_and_then_behind(
    settings, outside, customers, prometheus, tmp_path
):
    """Even one message, which is read and not committed, waits."""
    ledger = tmp_path / "ledger.db"
    PredictionLedger(f"sqlite:///{ledger}").prepare()
    with (
        closing(sqlite3.connect(current_month(ledger), isolation_level=None)) as other,
        working(settings, ledger=f"sqlite:///{ledger}") as worker,
    ):
        watching = prometheus(churn_stream=port_of(worker))
        wait_until(lambda: worker.ready()["ready"], worker.ready)
        wait_until(watching.scraped)
        quiet = watching.firing()
        other.execute("BEGIN IMMEDIATE")
        outside.send(customers[:1])
        stuck = fires(watching, "ChurnStreamStuck", "ChurnLedgerFails")
        for _ in range(11):
            outside.send(customers[:1000])
        behind = fires(watching, "ChurnStreamStuck", "ChurnStreamBehind")
        other.execute("ROLLBACK")
        wait_until(lambda: outside.committed("workers") == 11_001, worker.ready)
        calms_down(watching)

    assert quiet == set()
    assert stuck == {"ChurnStreamStuck", "ChurnLedgerFails"}
    assert behind - {"ChurnLedgerFails"} == {"ChurnStreamStuck", "ChurnStreamBehind"}


def test_rejected_messages_are_reported(settings, outside, customers, prometheus):
    with working(settings) as worker:
        watching = prometheus(churn_stream=port_of(worker))
        wait_until(watching.scraped)

        def send():
            outside.send([b"no customer", *customers[:20]])
            return "ChurnMessagesRejected" in watching.firing()

        wait_until(send, watching.firing)

        assert watching.firing() == {"ChurnMessagesRejected"}


@pytest.mark.parametrize("pointer", [None, b"{"], ids=["missing", "damaged"])
def test_a_refused_bundle_is_reported_until_the_store_is_whole_again(
    store, tmp_path, prometheus, pointer
):
    current = store / CURRENT
    intact = current.read_bytes()
    with serving(store, tmp_path) as service:
        watching = prometheus(churn_api=service.port)
        wait_until(watching.scraped)
        quiet = watching.firing()
        current.unlink() if pointer is None else current.write_bytes(pointer)
        loud = fires(watching, "ChurnBundleRefused")
        current.write_bytes(intact)  # as it was
        calms_down(watching)

    assert (quiet, loud) == (set(), {"ChurnBundleRefused"})


def test_a_stuck_ledger_fails_outcomes_and_leaves_predictions_behind_and_lost(
    store, tmp_path, customers, prometheus
):
    PredictionLedger(f"sqlite:///{tmp_path / 'ledger.db'}").prepare()
    month = current_month(tmp_path / "ledger.db")
    with (
        serving(store, tmp_path, ledger_queue=100) as service,
        service.client() as client,
        closing(sqlite3.connect(month, isolation_level=None)) as other,
    ):
        watching = prometheus(churn_api=service.port)
        for customer in customers[:50]:
            client.post("/v1/score", json=customer)
        wait_until(watching.scraped)
        quiet = watching.firing()
        other.execute("BEGIN IMMEDIATE")
        client.post("/v1/score", json=customers[0])
        fires(watching, "ChurnLedgerBehind")
        behind = watching.firing()

        def send(path, content):
            return lambda: client.post(path, json=content).status_code and watching.firing()

        outcome = {"customer": "c-1", "churned": True}
        failing, lost = send("/v1/outcomes", outcome), send("/v1/score", customers[0])
        wait_until(lambda: "ChurnAnswersFail" in failing(), watching.firing)
        wait_until(lambda: "ChurnPredictionsLost" in lost(), watching.firing)
        other.execute("ROLLBACK")
        calms_down(watching)
        service.kill()
        loud = fires(watching, "ChurnServiceDown")

    assert quiet == set()
    assert behind - {"ChurnLedgerFails"} == {"ChurnLedgerBehind"}
    assert loud == {"ChurnServiceDown"}
