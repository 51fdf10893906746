"""What an answer of the scoring service costs, beside FastAPI's empty endpoint in the same run.

    OMP_NUM_THREADS=1 python -m benchmarks.evidence_service [--requests 10000] [--rounds 5]

Prints Markdown tables: CPU time of the server's process per request (all its threads, the ledger's
writer among them), read from /proc; start to ready; memory; one worker and two.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import ROOT, BenchmarkError
from churn.bundle import Threshold, bundle_folder, load_bundle, publish, write_bundle
from churn.contract import load_contract
from churn.dataset import acquire
from churn.features.encoding import encode, encode_target
from churn.models.catalog import build_candidates
from churn.models.settings import default_recipes
from churn.models.trained import TrainedModel
from churn.scoring import Scorer
from service.keys import new_key

CONNECTIONS = 32
CUSTOMERS = 2000
EXPLAINED = 500
PATIENCE = 60
EMPTY = """
import sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
async def empty(): return {}
uvicorn.run(app, port=int(sys.argv[1]), log_config=None, access_log=False, server_header=False)
"""


@dataclass(frozen=True)
class Run:
    """One load on one server.

    Attributes:
        cpu: of the server, microseconds a request.
        rate: requests a second.
        p50: of the wait for an answer, milliseconds.
        p99: of the same.
    """

    cpu: float
    rate: float
    p50: float
    p99: float


class Server:
    """A started server: its processes and its port."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def pids(self) -> list[int]:
        """The server's process and its children."""
        pid = self.process.pid
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return [pid, *map(int, listed.split())]

    def cpu(self) -> float:
        """CPU seconds of all of them so far."""
        return sum(_cpu(pid) for pid in self.pids())

    def memory(self) -> list[float]:
        """Resident MB of each, at its peak."""
        found = []
        for pid in self.pids():
            text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
            found.append(int(re.findall(r"VmHWM:\s+(\d+)", text)[0]) / 1024)
        return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        customers = prepare(folder)
        try:
            print(_machine(), *_tables(folder, customers, asked.requests, asked.rounds), sep="\n\n")
        except BenchmarkError as error:
            print(f"No figures: {error}", file=sys.stderr)
            return 1
    return 0


def prepare(folder: Path) -> list[bytes]:
    """A store with the shipped blend, and real customers as JSON."""
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    data = acquire("bundled", contract, root=ROOT, cache=folder)
    columns, target = encode(data.frame, contract), encode_target(data.frame, contract)
    recipes = default_recipes()
    for version, name in (("blend", "blend"), ("gbm", "gbm")):
        trained = TrainedModel.train(
            build_candidates([name], recipes, contract)[name], columns, target,
            contract=contract, data_sha256="ab" * 32, settings=recipes[name],
        )  # fmt: skip
        where = bundle_folder(folder / "store", version)
        write_bundle(
            where, trained, columns, name="churn", version=version,
            threshold=Threshold(value=0.3, basis="benchmark"), metrics={},
        )  # fmt: skip
    publish(folder / "store", "blend")
    names = [contract.id.name, *(column.name for column in contract.features)]
    rows = data.frame[names].head(CUSTOMERS).astype(object).to_dict(orient="records")
    plain = [{n: v.item() if hasattr(v, "item") else v for n, v in row.items()} for row in rows]
    load_bundle(bundle_folder(folder / "store", "blend")).columns(
        plain
    )  # all of them can be scored
    return [json.dumps(row).encode() for row in plain]


def _tables(folder: Path, customers: list[bytes], count: int, rounds: int) -> Iterator[str]:
    key, digest = new_key()
    head = f"x-api-key: {key}\r\n"
    score = _requests(folder / "score", "POST", "/v1/score", customers, head)
    reasons = _requests(
        folder / "explain", "POST", "/v1/explain?counterfactuals=false", customers, head
    )
    ways = _requests(folder / "ways", "POST", "/v1/explain", customers, head)
    empty = _requests(folder / "empty", "GET", "/", [b""], "")
    settings = {"CHURN_API_KEYS": digest, "CHURN_LEDGER": f"sqlite:///{folder}/ledger.db"}
    bare = {"CHURN_LEDGER": "none"}
    paths = {
        "FastAPI's empty endpoint": (["-c", EMPTY], {}, empty, count),
        "`POST /v1/score`, key, metrics and ledger": (SERVICE, settings, score, count),
        "`POST /v1/score`, no key, no ledger": (SERVICE, bare, score, count),
        "`POST /v1/explain`, reasons": (SERVICE, settings, reasons, count // 5),
        "`POST /v1/explain`, reasons and counterfactuals": (SERVICE, settings, ways, count // 20),
    }
    found: dict[str, list[Run]] = {name: [] for name in paths}
    for _ in range(rounds):  # in turn, so that what else the machine does meets all of them
        for name, (program, environment, requests, many) in paths.items():
            with started(program, environment, folder) as server:
                _load(server, requests, max(CONNECTIONS, many // 10))
                found[name].append(_load(server, requests, many))
    yield _per_request(found)
    yield _explaining(folder, customers, found)
    yield _starting(folder, settings, rounds)
    yield _workers(folder, settings, score, count, rounds)


SERVICE = ["-m", "service.api", "--port", "{port}", "--store", "{store}"]


def _per_request(found: dict[str, list[Run]]) -> str:
    first = statistics.median(run.cpu for run in next(iter(found.values())))
    lines = [
        "| one worker, 32 connections | µs CPU a request | range | times empty | requests/s | p50 ms | p99 ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, runs in found.items():
        cpu = statistics.median(run.cpu for run in runs)
        low, high = min(run.cpu for run in runs), max(run.cpu for run in runs)
        rate, p50, p99 = (
            statistics.median(getattr(run, what) for run in runs) for what in ("rate", "p50", "p99")
        )
        lines.append(
            f"| {name} | {cpu:.1f} | {low:.1f} to {high:.1f} | {cpu / first:.2f} | {rate:,.0f} "
            f"| {p50:.1f} | {p99:.1f} |"
        )
    return "\n".join(lines)


def _explaining(folder: Path, customers: list[bytes], found: dict[str, list[Run]]) -> str:
    """Reasons over HTTP beside LightGBM's own contributions and an empty answer."""
    import lightgbm

    bundle = bundle_folder(folder / "store", "gbm")
    trees = lightgbm.Booster(model_file=str(next((bundle / "model").rglob("*.txt"))))
    rows = [row.reshape(1, -1) for row in _matrix(load_bundle(bundle), customers[:EXPLAINED])]
    trees.predict(rows[0], pred_contrib=True, num_threads=1)
    began = time.process_time()
    for row in rows:
        trees.predict(row, pred_contrib=True, num_threads=1)
    bare = (time.process_time() - began) / len(rows) * 1e6
    cpu = {name: statistics.median(run.cpu for run in runs) for name, runs in found.items()}
    empty = cpu["FastAPI's empty endpoint"]
    asked = cpu["`POST /v1/explain`, reasons"]
    return (
        "| reasons | µs CPU |\n|---|---|\n"
        f"| bare `Booster.predict(..., pred_contrib=True)`, one row | {bare:.1f} |\n"
        f"| the same and FastAPI's empty endpoint | {bare + empty:.1f} |\n"
        f"| `POST /v1/explain?counterfactuals=false` | {asked:.1f} |\n"
        f"| ratio | {asked / (bare + empty):.2f} |"
    )


def _matrix(scorer: Scorer, customers: list[bytes]) -> Any:
    """The customers as the trees see them, float64[n, features]."""
    columns = scorer.columns([json.loads(customer) for customer in customers])
    return np.column_stack([columns[name] for name in scorer.features]).astype(np.float64)


def _starting(folder: Path, settings: dict[str, str], rounds: int) -> str:
    cpu, memory = [], []
    for _ in range(rounds):
        with started(SERVICE, settings, folder) as server:
            cpu.append(server.cpu())
            memory.append(server.memory()[0])
    with started([*SERVICE, "--workers", "2"], settings, folder) as server:
        each = sorted(server.memory())
    return (
        "| starting | |\n|---|---|\n"
        f"| start to ready, one worker | {statistics.median(cpu):.2f} CPU-s |\n"
        f"| memory at its peak by then | {statistics.median(memory):.0f} MB |\n"
        f"| two workers: memory of each process | {', '.join(f'{mb:.0f}' for mb in each)} MB |"
    )


def _workers(folder: Path, settings: dict[str, str], score: Path, count: int, rounds: int) -> str:
    lines = ["| workers | µs CPU a request | requests/s |", "|---|---|---|"]
    for workers in (1, 2):
        runs = []
        for _ in range(rounds):
            program = [*SERVICE, "--workers", str(workers)]
            with started(program, settings, folder) as server:
                _load(server, score, count // 10)
                runs.append(_load(server, score, count))
        cpu = statistics.median(run.cpu for run in runs)
        lines.append(f"| {workers} | {cpu:.1f} | {statistics.median(r.rate for r in runs):,.0f} |")
    return "\n".join(lines)


@contextmanager
def started(program: Sequence[str], settings: dict[str, str], folder: Path) -> Iterator[Server]:
    """A server that answers, and is stopped afterwards."""
    port = _free_port()
    filled = [part.format(port=port, store=folder / "store") if "{" in part and "\n" not in part else part
              for part in program]  # fmt: skip
    if program[0] == "-c":
        filled.append(str(port))
    environment = {n: v for n, v in os.environ.items() if not n.startswith("CHURN_")}
    environment |= settings | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, *filled], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(process, port, ready="/livez" if program[0] == "-m" else "/")
        yield Server(process, port)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _load(server: Server, requests: Path, count: int) -> Run:
    before = server.cpu()
    command = [sys.executable, "-m", "benchmarks.load", str(server.port), str(CONNECTIONS)]
    ran = subprocess.run(
        [*command, str(count), str(requests)], cwd=ROOT, capture_output=True, text=True,
        timeout=PATIENCE * 2, check=False,
    )  # fmt: skip
    if ran.returncode != 0:
        raise BenchmarkError(f"the load failed: {ran.stderr[-300:]}")
    told: dict[str, Any] = json.loads(ran.stdout)
    answers: dict[str, int] = told["answers"]
    if set(answers) != {"200"}:
        raise BenchmarkError(f"not every answer was good: {answers}")
    time.sleep(0.6)  # the ledger's writer gets to the last of them
    done = answers["200"]
    return Run(
        cpu=(server.cpu() - before) / done * 1e6,
        rate=done / told["seconds"],
        p50=told["p50"] * 1e3,
        p99=told["p99"] * 1e3,
    )


def _requests(file: Path, method: str, path: str, bodies: list[bytes], head: str) -> Path:
    lines = []
    for body in bodies:
        sent = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\n{head}"
        if body:
            sent += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        lines.append((sent.encode() + b"\r\n" + body).hex())
    file.write_text("\n".join(lines), encoding="ascii")
    return file


def _wait(process: subprocess.Popen[str], port: int, ready: str) -> None:
    import httpx

    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise BenchmarkError("a server ended before it answered")
        try:
            if httpx.get(f"http://127.0.0.1:{port}{ready}").status_code == 200:  # noqa: PLR2004
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise BenchmarkError("a server did not answer in time")


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _machine() -> str:
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python "
        f"{platform.python_version()}. Medians."
    )


if __name__ == "__main__":
    sys.exit(main())
