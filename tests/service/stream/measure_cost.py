"""What a message costs the worker: CPU time of its process, from /proc, over real customers.

    OMP_NUM_THREADS=1 python tests/service/stream/measure_cost.py STORE [--messages 10000] [--rounds 3]
        [--transports kafka confluent]

The worker is held while the topic is filled, so that it then reads whole batches. Not a test: the
figures of docs/streaming-worker.md come from here. Broker and Redis are the tests' own.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from worker_process import Outside, broker_and_redis, wait_until, working  # noqa: E402

from tests.servers.messaging import Broker  # noqa: E402

_FIRST = 200  # messages before the clock starts: by then everything is loaded


def main() -> None:
    """Prints a line for each way to run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--transports", nargs="+", default=["kafka", "confluent"])
    options = parser.parse_args()
    rows = _customers()
    with broker_and_redis() as (folder, broker, redis):
        for transport, (label, more) in product(
            options.transports,
            (
                ("no ledger, no Redis", {"ledger": "none"}),
                ("ledger in SQLite", {}),
                ("ledger in SQLite and Redis", {"redis": redis.address}),
            ),
        ):
            measured = [
                _measured(
                    broker, rows, options, folder / f"{transport}-{len(label)}-{number}",
                    more | {"transport": transport},
                )
                for number in range(options.rounds)
            ]  # fmt: skip
            cpu, rate, peak = zip(*measured, strict=True)
            sys.stdout.write(
                f"{transport}, {label}: {statistics.median(cpu):.0f} us CPU a message ({min(cpu):.0f} to "
                f"{max(cpu):.0f}), {statistics.median(rate):.0f} messages/s, "
                f"{max(peak):.0f} MB\n"
            )


def _measured(
    broker: Broker, rows: list[Any], options: argparse.Namespace, place: Path, more: dict[str, Any]
) -> tuple[float, float, float]:
    """Microseconds of CPU a message, messages a second, MB at its peak."""
    topics = {kind: f"{place.name}-{kind}" for kind in ("input", "output", "dead_letter")}
    broker.topics(*topics.values())
    settings = {
        "kafka_servers": broker.address,
        "group": place.name,
        "store": options.store.resolve(),
        "ledger": f"sqlite:///{place}.db",
        "port": 0,
    } | {f"{kind}_topic": name for kind, name in topics.items()}
    outside = Outside(broker.address, topics)
    try:
        outside.send(rows[:_FIRST])
        with working(settings | more) as worker:
            wait_until(lambda: outside.committed(place.name) == _FIRST)
            worker.process.send_signal(signal.SIGSTOP)
            outside.send(rows[number % len(rows)] for number in range(options.messages))
            before, began = _cpu(worker.process.pid), time.monotonic()
            worker.process.send_signal(signal.SIGCONT)
            wait_until(lambda: outside.committed(place.name) == _FIRST + options.messages)
            seconds = time.monotonic() - began
            cpu = _cpu(worker.process.pid) - before
            status = Path(f"/proc/{worker.process.pid}/status").read_text()
            worker.stop()
    finally:
        outside.close()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1e3
    return cpu / options.messages * 1e6, options.messages / seconds, peak


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _customers() -> list[dict[str, Any]]:
    from churn.contract import load_contract
    from churn.data import acquire

    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    with tempfile.TemporaryDirectory() as folder:
        frame = acquire("bundled", contract, root=ROOT, cache=Path(folder)).frame
    names = [contract.id.name, *(column.name for column in contract.features)]
    rows = frame[names].astype(object).to_dict(orient="records")
    return [
        {name: getattr(value, "item", lambda v=value: v)() for name, value in row.items()}
        for row in rows
    ]


if __name__ == "__main__":
    main()
