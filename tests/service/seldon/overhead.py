"""What a request costs behind Seldon's servers, beside the scorer that both call.

    OMP_NUM_THREADS=1 python -m tests.service.seldon.overhead

One customer a request, another one each time, one connection kept alive, one worker. Processor
time is that of all the server's own processes, from /proc; the client's is not in it. Prints a
Markdown table, and only where every answer is the scorer's to the bit.
"""

from __future__ import annotations

import csv
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from churn.contract import load_contract
from churn.data import acquire
from churn.features.encoding import encode, encode_target
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.models.trained import TrainedModel
from churn.scoring import Scorer
from churn.scoring.bundle import Threshold, bundle_folder, publish, write_bundle
from service.seldon.package import package
from tests.service.seldon import running

ROUNDS = 5
REQUESTS = 1000

Row = dict[str, Any]
Ask = Callable[[httpx.Client, Row], float]


def main() -> int:
    """Measures and prints."""
    with tempfile.TemporaryDirectory(prefix="churn-overhead-") as folder:
        store, rows = _store(Path(folder))
        scorer = Scorer.load(store)
        expected = [scorer.score_one(row).probability for row in rows]
        plain = statistics.median(_scorer_seconds(scorer, rows) for _ in range(ROUNDS))
        lines = [("`Scorer.score_one` in a process of its own", plain, plain)]
        with running.seldon_core(store, Path(folder) / "seldon.log") as server:
            for name, ask in (
                ("seldon-core-microservice, REST, jsonData", _by_json),
                ("seldon-core-microservice, REST, names and ndarray", _by_table),
            ):
                lines.append((name, *_measured(server, ask, rows, expected)))
        packed = package(store, None, Path(folder) / "models")
        with running.mlserver(packed, Path(folder) / "mlserver.log") as server:
            lines.append(("MLServer, REST, V2", *_measured(server, _by_v2, rows, expected)))
    sys.stdout.write(
        "| one customer | ms CPU a request | ms from request to answer | of it the scorer |\n"
    )
    sys.stdout.write("|---|---|---|---|\n")
    for name, cpu, wall in lines:
        sys.stdout.write(f"| {name} | {cpu * 1e3:.3f} | {wall * 1e3:.3f} | {plain / cpu:.1%} |\n")
    sys.stdout.write(
        f"\nMedian of {ROUNDS} rounds of {REQUESTS:,}, Python {platform.python_version()}.\n"
    )
    return 0


def _scorer_seconds(scorer: Scorer, rows: list[Row]) -> float:
    began = time.process_time()
    for row in rows:
        scorer.score_one(row)
    return (time.process_time() - began) / len(rows)


def _measured(
    server: running.Server, ask: Ask, rows: list[Row], expected: list[float]
) -> tuple[float, float]:
    with httpx.Client(base_url=server.http, trust_env=False, timeout=30) as client:
        for row in rows[:100]:  # what the first requests load is not theirs alone
            ask(client, row)
        cpu, wall = [], []
        for _ in range(ROUNDS):
            before, began = server.cpu_seconds(), time.perf_counter()
            answered = [ask(client, row) for row in rows]
            wall.append((time.perf_counter() - began) / len(rows))
            cpu.append((server.cpu_seconds() - before) / len(rows))
            if answered != expected:
                raise SystemExit("The server does not give the scorer's numbers; nothing measured.")
    return statistics.median(cpu), statistics.median(wall)


def _by_json(client: httpx.Client, row: Row) -> float:
    answer = client.post("/api/v1.0/predictions", json={"jsonData": row})
    return float(answer.json()["jsonData"]["probability"])


def _by_table(client: httpx.Client, row: Row) -> float:
    data = {"names": list(row), "ndarray": [list(row.values())]}
    answer = client.post("/api/v1.0/predictions", json={"data": data})
    return float(answer.json()["data"]["ndarray"][0][0])


def _by_v2(client: httpx.Client, row: Row) -> float:
    inputs = [
        {"name": name, "datatype": "BYTES", "shape": [1], "data": [value]}
        for name, value in row.items()
    ]
    answer = client.post("/v2/models/churn/infer", content=json.dumps({"inputs": inputs}))
    return float(answer.json()["outputs"][0]["data"][0])


def _store(folder: Path) -> tuple[Path, list[Row]]:
    contract = load_contract(running.ROOT / "data" / "contracts" / "telco.yaml")
    data = acquire("bundled", contract, root=running.ROOT, cache=folder / "downloads")
    columns, recipe = dict(encode(data.frame, contract)), default_recipes()["blend"]
    trained = TrainedModel.train(
        build_candidates(["blend"], default_recipes(), contract)["blend"],
        columns,
        encode_target(data.frame, contract),
        contract=contract,
        data_sha256="ab" * 32,
        settings=recipe,
    )
    store = folder / "store"
    threshold = Threshold(value=0.31, basis="for the measurement")
    write_bundle(
        bundle_folder(store, "1"),
        trained,
        columns,
        name="churn",
        version="1",
        threshold=threshold,
        metrics={},
    )
    publish(store, "1")
    with (running.ROOT / "data" / "raw" / "telco.csv").open(newline="", encoding="utf-8") as file:
        rows = [dict(row) for row in csv.DictReader(file)][:: 7043 // REQUESTS][:REQUESTS]
    for row in rows:
        del row["Churn"]
    return store, rows


if __name__ == "__main__":
    sys.exit(main())
