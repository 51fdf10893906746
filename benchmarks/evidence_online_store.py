"""What one read of the online store costs, beside Feast's own SQLite store; and a score by id beside one by fields.

    OMP_NUM_THREADS=1 python -m benchmarks.evidence_online_store [--rounds 5] [--reads-only] [--json]

Prints a Markdown table of CPU microseconds: reads of the same 2,000 customers in this process, one
after the other, and requests in the server's processes. Redis is measured where redis-server is installed.
With --json, the rounds' figures as one object for `make bench`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.evidence_service import Prepared, prepare
from benchmarks.measuring import ROOT, BenchmarkError
from benchmarks.serving import Side, alternating
from churn.contract import DataContract, load_contract
from churn.feature_store.online.address import open_online_store
from churn.feature_store.online.stored_customer import CustomerUpdate
from tests.servers.redis_server import RedisServer

AT = datetime(2026, 3, 2, tzinfo=UTC)
REQUESTS = 5000
Read = Callable[[str], object]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reads-only", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        prepared = prepare(Path(folder))
        rows = [json.loads(each) for each in prepared.customers]
        figures = {
            **reads(dict(readers(contract, rows, prepared.folder, stack)), rows, options.rounds),
            **({} if options.reads_only else answers(prepared, rows, options.rounds)),
        }
    if options.json:
        print(json.dumps(figures))
        return 0
    print("| | µs CPU | range |\n|---|---|---|")
    for name, values in figures.items():
        print(
            f"| {name} | {statistics.median(values):.0f} | {min(values):.0f} to {max(values):.0f} |"
        )
    return 0


def readers(
    contract: DataContract, rows: Sequence[Mapping[str, Any]], folder: Path, stack: ExitStack
) -> Iterator[tuple[str, Read]]:
    """Ways to read a customer, each from a store that has all of them."""
    addresses = {"SQLite": f"sqlite:///{folder / 'online.db'}"}
    if program := shutil.which("redis-server"):
        server = RedisServer(program, folder)
        server.start()
        stack.callback(server.stop)
        addresses["Redis"] = server.address
    for name, address in addresses.items():
        store = stack.enter_context(open_online_store(contract, address))
        store.write(
            CustomerUpdate(
                row[contract.id.name], AT, {n: v for n, v in row.items() if n != contract.id.name}
            )
            for row in rows
        )
        yield f"`OnlineStore.read`, {name}", store.read
    yield from feast_readers(contract, rows, folder)


def feast_readers(
    contract: DataContract, rows: Sequence[Mapping[str, Any]], folder: Path
) -> Iterator[tuple[str, Read]]:
    """Feast with its own SQLite store."""
    import pandas as pd
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
    from feast.types import Float64, String

    identity, source = contract.id.name, folder / "customers.parquet"
    numbers = {column.name for column in contract.numbers}
    frame = pd.DataFrame(rows).assign(event_timestamp=AT)
    frame = frame.astype(dict.fromkeys(numbers, float) | {c.name: str for c in contract.coded})
    frame.to_parquet(source)
    customer = Entity(name="customer", join_keys=[identity], value_type=ValueType.STRING)
    view = FeatureView(
        name="customers",
        entities=[customer],
        schema=[
            Field(name=column.name, dtype=Float64 if column.name in numbers else String)
            for column in contract.features
        ],
        source=FileSource(path=str(source), timestamp_field="event_timestamp"),
    )
    config = RepoConfig(
        project="telco", provider="local", registry=str(folder / "registry.db"),
        online_store={"type": "sqlite", "path": str(folder / "feast.db")},
        offline_store={"type": "file"}, entity_key_serialization_version=3,
    )  # fmt: skip
    store = FeatureStore(config=config)
    store.apply([customer, view])
    store.write_to_online_store("customers", frame)
    names = [f"customers:{column.name}" for column in contract.features]
    yield (
        "Feast's `get_online_features`, its SQLite store",
        lambda one: store.get_online_features(names, [{identity: one}]).to_dict(),
    )


def reads(
    readers_by_name: Mapping[str, Read], rows: Sequence[Mapping[str, Any]], rounds: int
) -> dict[str, list[float]]:
    """CPU microseconds a read, a figure a round; all of them meet the same other load."""
    ids = [row["customerID"] for row in rows]
    found: dict[str, list[float]] = {name: [] for name in readers_by_name}
    for _ in range(rounds):
        for name, read in readers_by_name.items():
            began = time.process_time()
            for one in ids:
                if read(one) is None:
                    raise BenchmarkError(f"{name} does not have a customer")
            found[name].append((time.process_time() - began) / len(ids) * 1e6)
    return found


def answers(
    prepared: Prepared, rows: Sequence[Mapping[str, Any]], rounds: int
) -> dict[str, list[float]]:
    """CPU microseconds of a service a request: by the customer's id, and by its fields."""
    head = f"HTTP/1.1\r\nhost: localhost\r\nx-api-key: {prepared.key}\r\n\r\n"
    sent = prepared.folder / "by-id"
    lines = [f"GET /v1/customers/{row['customerID']}/score {head}".encode().hex() for row in rows]
    sent.write_text("\n".join(lines), encoding="ascii")
    online = {"CHURN_ONLINE_STORE": f"sqlite:///{prepared.folder / 'online.db'}"}
    post = prepared.score(REQUESTS)
    sides = {
        "`POST /v1/score`": post,
        "`POST /v1/score`, `CHURN_SHORT_PATH=false`": Side(
            post.command, post.requests, REQUESTS,
            dict(post.settings) | {"CHURN_SHORT_PATH": "false"}, "/livez",
        ),
        "`GET /v1/customers/{id}/score`, SQLite": Side(
            post.command, sent, REQUESTS, dict(post.settings) | online, "/livez"
        ),
    }  # fmt: skip
    return {name: [run.cpu for run in runs] for name, runs in alternating(sides, rounds).items()}


if __name__ == "__main__":
    sys.exit(main())
