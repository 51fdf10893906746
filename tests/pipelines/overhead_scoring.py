"""What a score costs through ZenML's deployment, beside `service.api` on the same machine.

    OMP_NUM_THREADS=1 python -m tests.pipelines.overhead_scoring STORE

STORE is a bundle store with something in production. Another customer each time, one after the
other over one connection; processor time is the server's own and that of the processes it starts,
from the system's counters. Prints a Markdown table, and only where every answer is the scorer's to
the bit. Works in a ZenML of its own, which is removed in the end.
"""

from __future__ import annotations

import csv
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil

from churn.scoring import Scorer

ROUNDS, EACH = 10, 20
SLOW = 60  # customers for what takes a second each
ROOT = Path(__file__).resolve().parents[2]

Row = dict[str, Any]
Ask = Callable[[httpx.Client, Row], float]


def main() -> int:
    """Measures and prints."""
    store = str(Path(sys.argv[1]).absolute())
    folder = Path(tempfile.mkdtemp(prefix="churn-overhead-"))
    os.environ["ZENML_CONFIG_PATH"] = str(folder / "zenml")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with (ROOT / "data" / "raw" / "telco.csv").open(newline="", encoding="utf-8") as file:
        rows = [dict(row) for row in csv.DictReader(file)][:: 7043 // (ROUNDS * EACH)]
    rows = rows[: ROUNDS * EACH]
    for row in rows:
        del row["Churn"]
    sys.stdout.write(
        "| one customer | ms CPU | ms wall | p95 ms wall | MiB |\n|---|---|---|---|---|\n"
    )
    try:
        for name, cpu, wall, slow, memory in _all(store, rows, folder):
            figures = f"{cpu * 1e3:.2f} | {wall * 1e3:.2f} | {slow * 1e3:.2f} | {memory:.0f}"
            sys.stdout.write(f"| {name} | {figures} |\n")
            sys.stdout.flush()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _all(store: str, rows: list[Row], folder: Path) -> Iterator[tuple[Any, ...]]:
    from deployment.zenml_deployments import NAME, stop_deployment
    from runner.silence import silence_libraries
    from runner.zenml_deployment import deploy_scoring
    from stacks.spec import ExistingComponent, load_stack
    from tests.servers.churn_api import serving

    expected = [Scorer.load(store).score_one(row).probability for row in rows]
    with serving(Path(store), folder) as service:
        yield "service.api", *_measured(service.url, service.process.pid, _direct, rows, expected)
    silence_libraries(verbose=False)
    spec = load_stack("local")
    parts = {**spec.components, "deployer": ExistingComponent(use="default")}
    spec = spec.model_copy(update={"components": parts})
    try:
        deployment = deploy_scoring(store, spec, state=folder)
        for name, keep in (("ZenML, fast", False), ("ZenML, answers kept", True)):
            ask = _through_zenml(keep=keep)
            yield name, *_measured(deployment.address, _pid(), ask, rows, expected)
        _as_it_comes()
        deployment = deploy_scoring(store, spec, state=folder)
        ask, some = _through_zenml(keep=True), slice(SLOW)
        measured = _measured(deployment.address, _pid(), ask, rows[some], expected[some])
        yield "ZenML as it comes", *measured
    finally:
        stop_deployment(NAME)


def _measured(
    address: str, pid: int, ask: Ask, rows: list[Row], expected: list[float]
) -> tuple[float, ...]:
    server = psutil.Process(pid)
    cpu, wall, scores = [], [], []
    with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        for row in rows[:EACH]:  # what the first requests load is not theirs alone
            ask(client, row)
        for start in range(0, len(rows), EACH):
            before = sum(server.cpu_times()[:4])
            for row in rows[start : start + EACH]:
                began = time.perf_counter()
                scores.append(ask(client, row))
                wall.append(time.perf_counter() - began)
            cpu.append((sum(server.cpu_times()[:4]) - before) / EACH)
    if scores != expected:
        raise SystemExit("The server does not give the scorer's numbers; nothing measured.")
    slow = statistics.quantiles(wall, n=20)[-1]
    memory = server.memory_info().rss / 2**20
    return statistics.median(cpu), statistics.median(wall), slow, memory


def _direct(client: httpx.Client, row: Row) -> float:
    return float(client.post("/v1/score", json=row).json()["probability"])


def _through_zenml(*, keep: bool) -> Ask:
    def ask(client: httpx.Client, row: Row) -> float:
        body = {"parameters": {"customer": row}, "skip_artifact_materialization": not keep}
        content = client.post("/invoke", json=body).json()
        return float(content["outputs"]["customer_score"]["probability"])

    return ask


def _pid() -> int:
    from zenml.client import Client

    return int(Client().list_deployments(hydrate=True).items[0].deployment_metadata["pid"])


def _as_it_comes() -> None:
    """The same pipeline without what makes it fast here: ZenML's own service, nothing turned off."""
    from zenml import pipeline

    from pipelines import scoring

    scoring.scoring = pipeline(name="scoring")(scoring.scoring.entrypoint)


if __name__ == "__main__":
    sys.exit(main())
