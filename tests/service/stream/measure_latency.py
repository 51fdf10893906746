"""How long a score takes, from the event's time at its producer to a reader of the scores.

    OMP_NUM_THREADS=1 python tests/service/stream/measure_latency.py STORE [--rate 500] [--seconds 60]
        [--transports kafka confluent] [--steady] [--all]

Simulator, broker, Redis and worker are processes of their own; the reader is this one, and sees what
`read_committed` shows. Not a test: the figures of docs/streaming-worker.md come from here.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from kafka import KafkaConsumer, TopicPartition  # noqa: E402
from worker_process import broker_and_redis, read_topic, working  # noqa: E402

from service.stream.kafka_clients import message_of  # noqa: E402
from tests.servers.logged_process import environment  # noqa: E402
from tests.servers.messaging import PARTITIONS, Broker  # noqa: E402

# Between two looks: the broker of the tests answers at once, and would be kept busy.
_PAUSE_SECONDS = 0.004
_FIRST_SECONDS = 5  # left out: by then everything is loaded


def main() -> None:
    """Prints a line for each client of the worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--transports", nargs="+", default=["kafka", "confluent"])
    parser.add_argument("--steady", action="store_true", help="no bursts")
    parser.add_argument("--all", action="store_true", help="partial updates and Redis, too")
    options = parser.parse_args()
    with broker_and_redis() as (folder, broker, redis):
        for transport in options.transports:
            found = measure(broker, redis.address, folder, options, transport)
            p50, p99, p999 = np.quantile(found, (0.5, 0.99, 0.999))
            sys.stdout.write(
                f"{transport}: {len(found):,} scores at {options.rate} events/s: p50 {p50:.1f} ms, "
                f"p99 {p99:.1f} ms, p99.9 {p999:.1f} ms, most {max(found):.0f} ms\n"
            )


def measure(
    broker: Broker, redis: str, folder: Path, options: argparse.Namespace, transport: str
) -> list[float]:
    """Milliseconds of each score after the first seconds, with a ledger in SQLite."""
    topics = {f"{kind}_topic": f"{transport}-{kind}" for kind in ("input", "output", "dead_letter")}
    broker.topics(*topics.values())
    shared = topics | {"kafka_servers": broker.address}
    own = {
        "group": transport, "store": options.store.resolve(), "port": 0,
        "transport": transport, "ledger": f"sqlite:///{folder}/{transport}.db",
    }  # fmt: skip
    if options.all:
        shared["online_store"] = f"sqlite:///{folder}/{transport}-online.db"
        own["redis"] = redis
    with working(shared | own):
        arrivals = _arrivals(broker.address, topics["output_topic"], shared, options)
    sent = {}
    for each in read_topic(broker.address, topics["input_topic"], len(arrivals)):
        sent[message_of(each).prediction_id] = each.timestamp
    began = min(sent.values()) + 1000 * _FIRST_SECONDS
    return [at - sent[name] for name, at in arrivals.items() if sent[name] >= began]


def _arrivals(
    address: str, topic: str, shared: dict[str, Any], options: argparse.Namespace
) -> dict[str, float]:
    """When each score was first read, in milliseconds, by its id."""
    reader = KafkaConsumer(bootstrap_servers=address, isolation_level="read_committed")
    reader.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
    reader.seek_to_end()
    reader.poll(2000)
    command = [sys.executable, "-m", "service.stream.simulate", "--rate", str(options.rate),
               "--seconds", str(options.seconds)]  # fmt: skip
    if options.steady:
        command += ["--bursts", "0"]
    simulator = subprocess.Popen(
        command, cwd=ROOT, env=environment(**shared), stdout=subprocess.PIPE
    )
    arrivals: dict[str, float] = {}
    quiet_since = time.monotonic()
    while simulator.poll() is None or time.monotonic() < quiet_since + 5:
        found = [each for some in reader.poll(0).values() for each in some]
        at = time.time() * 1000
        for each in found:
            arrivals.setdefault(json.loads(each.value)["prediction_id"], at)
        if found:
            quiet_since = time.monotonic()
        time.sleep(_PAUSE_SECONDS)
    reader.close()
    return arrivals


if __name__ == "__main__":
    main()
