"""Two workers that are killed again and again, brokers that restart, and what is left in the end.

    OMP_NUM_THREADS=1 python tests/service/stream/chaos_run.py STORE [--events 20000] [--seed 1]
        [--restarts 2 --no-transactions]

A test runs it with fewer events; the figures of docs/streaming.md come from here.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from kafka import KafkaConsumer, KafkaProducer, TopicPartition  # noqa: E402
from redis import Redis  # noqa: E402
from worker_process import StreamWorker, broker_and_redis, read_topic, wait_until  # noqa: E402

from churn.contract import DataContract  # noqa: E402
from churn.feature_store.online.address import open_online_store  # noqa: E402
from churn.feature_store.online.stored_customer import CustomerUpdate  # noqa: E402
from churn.ledger.predictions import PredictionLedger  # noqa: E402
from service.stream.kafka_clients import message_of  # noqa: E402
from service.stream.latest_scores import KEY  # noqa: E402
from service.stream.messages import Message  # noqa: E402
from tests.servers.messaging import Broker  # noqa: E402

NOW = datetime.now(UTC) - timedelta(hours=1)
_CUSTOMERS = 400
_LONGEST_SECONDS = 300  # a session that failed is opened again after up to ten
_POISON: tuple[bytes | None, ...] = (
    None,
    b"",
    b"not json",
    b"\xff",
    b"[]",
    b"{}",
    b'{"customerID": "nobody", "changes": {"tenure": 1}, "at": "2026-01-01T00:00:00Z"}',
    b'{"customerID": "nobody", "changes": []}',
    b'{"customerID": "nobody", "tenure": -1}',
)


@dataclass(frozen=True)
class Chaos:
    """How much of it.

    Attributes:
        events: written to the input topic, one in twenty of them poison.
        kills: of a worker, at random moments.
        restarts: of the broker. Not with transactions: `noida-db`, unlike Kafka, forgets an open one
            when it restarts, and then takes its commit.
        transactions: of the workers; without them readers count each id once, as is done here.
        seed: of all chance.
    """

    events: int
    kills: int = 10
    restarts: int = 0
    transactions: bool = True
    seed: int = 1


@dataclass(frozen=True)
class Left:
    """What was written, and what is left of it.

    Attributes:
        sent: messages of the input topic that are valid, by prediction id.
        poison: places of the others.
        scores: the output topic, as `read_committed` shows it; without transactions, each once.
        letters: the dead-letter topic, likewise.
        ledger: its predictions.
        latest: Redis' hashes by customer.
        seconds: from the first worker's start to the last commit.
    """

    sent: dict[str, Message]
    poison: set[tuple[int, int]]
    scores: list[dict[str, Any]]
    letters: list[tuple[int, int]]
    ledger: list[Any]
    latest: dict[str, dict[str, str]]
    seconds: float


def events(rows: list[dict[str, Any]], chaos: Chaos) -> Iterator[tuple[bytes, bytes | None]]:
    """Yields keys and values: whole customers, partial updates of which some come late, and poison."""
    rng = random.Random(chaos.seed)
    for number in range(chaos.events):
        row = rows[rng.randrange(_CUSTOMERS)]
        key = row["customerID"].encode()
        if number % 20 == 0:
            yield key, _POISON[number // 20 % len(_POISON)]
        elif number % 2:
            changes = {
                "tenure": rng.randrange(1, 72),
                "Contract": rng.choice(("One year", "Two year")),
            }
            at = NOW + timedelta(milliseconds=number - rng.choice((0, 0, 0, 500)))
            update = {"customerID": row["customerID"], "changes": changes, "at": at.isoformat()}
            yield key, json.dumps(update).encode()
        else:
            yield key, json.dumps(row).encode()


def run(
    broker: Broker,
    redis: str,
    contract: DataContract,
    rows: list[dict[str, Any]],
    settings: dict[str, Any],
    chaos: Chaos,
) -> Left:
    """Lets two workers score the events under chaos, and returns what is left."""
    with open_online_store(contract, settings["online_store"]) as online:
        online.write(
            CustomerUpdate(row["customerID"], NOW - timedelta(1),
                           {name: value for name, value in row.items() if name != "customerID"})
            for row in rows[:_CUSTOMERS]
        )  # fmt: skip
    _send(broker.address, settings["input_topic"], events(rows, chaos))
    sent, poison = _input(broker.address, settings["input_topic"], chaos)
    began = time.monotonic()
    _score_under_chaos(
        broker, settings | {"redis": redis, "transactions": chaos.transactions}, chaos
    )
    seconds = time.monotonic() - began
    scores = read_topic(broker.address, settings["output_topic"], len(sent))
    letters = read_topic(broker.address, settings["dead_letter_topic"], len(poison))
    with PredictionLedger(settings["ledger"]) as ledger:
        kept = ledger.predictions(limit=10 * chaos.events)
    client = Redis.from_url(redis, decode_responses=True)
    latest = {key.removeprefix(KEY): client.hgetall(key) for key in client.keys(f"{KEY}*")}
    client.close()
    found = [json.loads(each.value) | {"customer": each.key.decode()} for each in scores]
    places = [_place(dict(each.headers)) for each in letters]
    if not chaos.transactions:
        found = [dict(each) for each in dict.fromkeys(tuple(one.items()) for one in found)]
        places = list(dict.fromkeys(places))
    return Left(
        sent,
        poison,
        found,
        places,
        kept,
        latest,
        seconds,
    )


def faults(left: Left) -> list[str]:
    """What is not as it must be: nothing, if every event has exactly one effect."""
    found = []
    ids = Counter(each["prediction_id"] for each in left.scores)
    if set(ids) != set(left.sent) or max(ids.values()) > 1:
        found.append(f"topic: {len(set(left.sent) - set(ids))} missing, {ids.most_common(1)}")
    answers = {each["prediction_id"]: each["probability"] for each in left.scores}
    kept = Counter(each.prediction_id for each in left.ledger)
    if set(kept) != set(left.sent) or max(kept.values()) > 1:
        found.append(f"ledger: {len(set(left.sent) - set(kept))} missing, {kept.most_common(1)}")
    if other := [p for p in left.ledger if answers.get(p.prediction_id) != p.probability]:
        found.append(f"ledger: {len(other)} answers are not the topic's")
    letters = Counter(left.letters)
    if set(letters) != left.poison or max(letters.values()) > 1:
        found.append(f"dead letters: {letters.keys() ^ left.poison}, {letters.most_common(1)}")
    order = defaultdict(list)
    for each in left.scores:
        order[each["customer"]].append(left.sent[each["prediction_id"]].offset)
    if late := [name for name, offsets in order.items() if offsets != sorted(offsets)]:
        found.append(f"order: {len(late)} customers' scores are not in the order of their events")
    ids_by_place = {(_customer(each), each.offset): name for name, each in left.sent.items()}
    for name, offsets in order.items():
        last = ids_by_place[name, offsets[-1]]
        if (held := left.latest.get(name, {})).get("prediction_id") != last or float(
            held["probability"]
        ) != answers[last]:
            found.append(f"Redis: customer {name} has not the last score")
    return found


def _score_under_chaos(broker: Broker, settings: dict[str, Any], chaos: Chaos) -> None:
    rng = random.Random(chaos.seed + 1)
    shocks = ["kill"] * chaos.kills + ["restart"] * chaos.restarts
    rng.shuffle(shocks)
    moments = sorted(rng.uniform(0.02, 0.85) * chaos.events for _ in shocks)
    names = ("one", "two")
    workers = {name: StreamWorker(settings | {"instance": name}) for name in names}
    try:
        for shock, moment in zip(shocks, moments, strict=True):
            wait_until(
                lambda least=moment: _recorded(settings["ledger"]) >= least,
                seconds=_LONGEST_SECONDS,
            )
            time.sleep(rng.uniform(0, 0.1))
            if shock == "restart":
                broker.stop()
                broker.start()
                continue
            name = rng.choice(names)
            workers[name].kill()
            workers[name] = StreamWorker(settings | {"instance": name})
        _wait_for_commits(broker.address, settings, chaos.events)
        for worker in workers.values():
            worker.wait_for("connected")
            assert worker.stop() == 0
    finally:
        for worker in workers.values():
            worker.kill()


def _wait_for_commits(address: str, settings: dict[str, Any], events: int) -> None:
    """Until the group has done all."""
    consumer = KafkaConsumer(bootstrap_servers=address, group_id=settings["group"])
    topic = settings["input_topic"]
    try:
        places = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic)]
        wait_until(
            lambda: sum(consumer.committed(place) or 0 for place in places) == events,
            seconds=_LONGEST_SECONDS,
        )
    finally:
        consumer.close()


def _recorded(ledger: str) -> int:
    folder = Path(ledger.removeprefix("sqlite:///")).parent
    total = 0
    for file in folder.glob("ledger-*.db"):
        with (
            closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as database,
            suppress(sqlite3.OperationalError),  # its tables are not made yet
        ):
            total += database.execute("SELECT count(*) FROM predictions").fetchone()[0]
    return total


def _send(address: str, topic: str, content: Iterator[tuple[bytes, bytes | None]]) -> None:
    producer = KafkaProducer(bootstrap_servers=address, linger_ms=20)
    for key, value in content:
        # Tombstones, too, and once in a while a message without key or value.
        producer.send(topic, value, key=key)
    producer.flush(60)
    producer.close()


def _input(
    address: str, topic: str, chaos: Chaos
) -> tuple[dict[str, Message], set[tuple[int, int]]]:
    """The valid messages as the workers will read them, and the places of the poison."""
    valid, poison = {}, set()
    for each in read_topic(address, topic, chaos.events):
        if each.value in _POISON:
            poison.add((each.partition, each.offset))
            continue
        message = message_of(each)
        valid[message.prediction_id] = message
    return valid, poison


def _customer(message: Message) -> str:
    return message.key.decode() if message.key else ""


def _place(headers: dict[str, bytes]) -> tuple[int, int]:
    return int(headers["churn-partition"]), int(headers["churn-offset"])


def main() -> None:
    """Runs it once, and prints what it took."""
    from measure_cost import _customers

    from churn.contract import load_contract

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--restarts", type=int, default=0)
    parser.add_argument("--no-transactions", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chaos = Chaos(
        options.events, options.kills, options.restarts, not options.no_transactions, options.seed
    )
    with broker_and_redis() as (folder, broker, redis):
        topics = {f"{kind}_topic": f"chaos-{kind}" for kind in ("input", "output", "dead_letter")}
        broker.topics(*topics.values())
        settings = topics | chaos_settings(broker, options.store.resolve(), folder)
        contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
        left = run(broker, redis.address, contract, _customers(), settings, chaos)
    sys.stdout.write(
        f"{chaos.events:,} events, {chaos.kills} kills, {chaos.restarts} restarts of the broker: "
        f"{len(left.scores):,} scores, {len(left.letters):,} dead letters, {len(left.ledger):,} rows of "
        f"the ledger, {left.seconds:.0f} s; faults: {faults(left) or 'none'}\n"
    )


def chaos_settings(broker: Broker, store: Path, folder: Path) -> dict[str, Any]:
    """Settings of both workers, whose batches are small, so that a kill meets one at work."""
    return {
        "kafka_servers": broker.address,
        "group": "chaos",
        "store": store,
        "ledger": f"sqlite:///{folder / 'ledger.db'}",
        "online_store": f"sqlite:///{folder / 'online.db'}",
        "session_seconds": 6,
        "batch_messages": 50,
        "port": 0,
    }


if __name__ == "__main__":
    main()
