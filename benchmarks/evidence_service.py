"""What an answer of the scoring service costs, beside FastAPI's empty endpoint in the same run.

    OMP_NUM_THREADS=1 python -m benchmarks.evidence_service [--requests 10000] [--rounds 5] [--json]

Prints Markdown tables: CPU time of the server's processes per request (all threads, the ledger's
writer among them), read from /proc; start to ready; memory; one worker and two. With --json, the
rounds' figures as one object for `make bench`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.measuring import ROOT, BenchmarkError
from benchmarks.serving import CONNECTIONS, Run, Side, alternating, requests, started
from churn.contract import load_contract
from churn.data import Dataset, acquire
from churn.features.encoding import encode, encode_target
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import default_recipes
from churn.models.trained import TrainedModel
from churn.scoring import Scorer
from churn.scoring.bundle import Threshold, bundle_folder, publish, write_bundle
from service.core.keys import new_key

CUSTOMERS = 2000
EMPTY = """
import sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
async def empty(): return {}
uvicorn.run(app, port=int(sys.argv[1]), log_config=None, access_log=False, server_header=False)
"""
NAMES = {
    "empty": "FastAPI's empty endpoint",
    "score": "`POST /v1/score`, key, metrics and ledger",
    "score_plain": "`POST /v1/score`, `CHURN_SHORT_PATH=false`",
    "score_bare": "`POST /v1/score`, no key, no ledger",
    "contributions": "FastAPI and bare `pred_contrib`, an encoded row",
    "reasons": "`POST /v1/explain?counterfactuals=false`: reasons",
    "counterfactuals": "`POST /v1/explain`: reasons and counterfactuals",
    "pairs": "`POST /v1/explain?changes=2`: pairs of changes, too",
}


@dataclass(frozen=True)
class Prepared:
    """What all sides share.

    Attributes:
        folder: for stores, ledgers and requests.
        customers: real ones, as JSON.
        key: that is let in.
        digest: of it.
    """

    folder: Path
    customers: list[bytes]
    key: str
    digest: str

    @property
    def store(self) -> Path:
        """With the shipped blend in production."""
        return self.folder / "store"

    @property
    def settings(self) -> dict[str, str]:
        """Of the service: keys and a ledger."""
        return {"CHURN_API_KEYS": self.digest, "CHURN_LEDGER": f"sqlite:///{self.folder}/ledger.db"}

    def service(self, workers: int = 1) -> list[str]:
        """The command that serves."""
        command = [sys.executable, "-m", "service.api", "--port", "{port}"]
        return [*command, "--store", str(self.store), "--workers", str(workers)]

    def score(self, count: int, workers: int = 1) -> Side:
        """`POST /v1/score` with all that belongs to it."""
        sent = requests(
            self.folder / "score", "POST", "/v1/score", self.customers, f"x-api-key: {self.key}\r\n"
        )
        return Side(self.service(workers), sent, count, self.settings, "/livez")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        try:
            prepared = prepare(Path(folder))
            runs_by_side = alternating(sides(prepared, options.requests), options.rounds)
            starting = starts(prepared, options.rounds)
            workers = two_workers(prepared, options.requests, options.rounds)
        except BenchmarkError as error:
            print(f"No figures: {error}", file=sys.stderr)
            return 1
    if options.json:
        print(json.dumps(figures(runs_by_side, starting, workers)))
    else:
        print(_machine(), *_tables(runs_by_side, starting, workers), sep="\n\n")
    return 0


def fitted(cache: Path) -> tuple[TrainedModel, Dataset]:
    """The shipped blend, fitted on the real customers, and these."""
    contract = load_contract(ROOT / "data" / "contracts" / "telco.yaml")
    data = acquire("bundled", contract, root=ROOT, cache=cache)
    recipes = default_recipes()
    trained = TrainedModel.train(
        build_candidates(["blend"], recipes, contract)["blend"], encode(data.frame, contract),
        encode_target(data.frame, contract), contract=contract, data_sha256="ab" * 32,
        settings=recipes["blend"],
    )  # fmt: skip
    return trained, data


def prepare(folder: Path, versions: Sequence[str] = ("1",)) -> Prepared:
    """A store with the shipped blend, as these versions, and real customers as JSON."""
    trained, data = fitted(folder)
    contract, columns = trained.contract, encode(data.frame, trained.contract)
    for version in versions:
        where = bundle_folder(folder / "store", version)
        write_bundle(
            where, trained, columns, name="churn", version=version,
            threshold=Threshold(value=0.3, basis="benchmark"), metrics={},
        )  # fmt: skip
    publish(folder / "store", versions[0])
    names = [contract.id.name, *(column.name for column in contract.features)]
    rows = data.frame[names].head(CUSTOMERS).astype(object).to_dict(orient="records")
    plain = [
        {str(n): v.item() if hasattr(v, "item") else v for n, v in row.items()} for row in rows
    ]
    Scorer.load(where).columns(plain)  # all of them can be scored
    key, digest = new_key()
    return Prepared(folder, [json.dumps(row).encode() for row in plain], key, digest)


def sides(prepared: Prepared, count: int) -> dict[str, Side]:
    """The sides that are measured alternately."""
    folder, score = prepared.folder, prepared.score(count)
    empty = requests(folder / "empty", "GET", "/", [b""])
    trees, encoded = as_the_trees_see(prepared)
    bare = requests(folder / "bare", "POST", "/", encoded)
    contributions = ["-m", "benchmarks.bare_contributions", "{port}", str(trees)]

    def explain(name: str, query: str, many: int) -> Side:
        head = f"x-api-key: {prepared.key}\r\n"
        path = f"/v1/explain{query}"
        sent = requests(folder / name, "POST", path, prepared.customers, head)
        return Side(prepared.service(), sent, many, prepared.settings, "/livez")

    return {
        "empty": Side([sys.executable, "-c", EMPTY, "{port}"], empty, count, {}),
        "score": score,
        "score_plain": replace(
            score, settings=dict(score.settings) | {"CHURN_SHORT_PATH": "false"}
        ),
        "score_bare": Side(
            score.command, score.requests, count, {"CHURN_LEDGER": "none"}, "/livez"
        ),
        "contributions": Side([sys.executable, *contributions], bare, count // 5, {}),
        "reasons": explain("reasons", "?counterfactuals=false", count // 5),
        "counterfactuals": explain("counterfactuals", "", count // 5),
        "pairs": explain("pairs", "?changes=2", count // 5),
    }


def as_the_trees_see(prepared: Prepared) -> tuple[Path, list[bytes]]:
    """The blend's trees, and the customers as JSON lists of their columns."""
    bundle = bundle_folder(prepared.store, "1")
    columns_file = next((bundle / "model").rglob("columns.json"))
    features = json.loads(columns_file.read_text(encoding="utf-8"))["features"]
    columns = Scorer.load(bundle).columns([json.loads(one) for one in prepared.customers])
    rows = zip(*(columns[name].astype(float).tolist() for name in features), strict=True)
    return columns_file.with_name("trees.txt"), [json.dumps(row).encode() for row in rows]


def starts(prepared: Prepared, rounds: int) -> tuple[list[float], list[float]]:
    """CPU seconds from start to ready, and MB at the peak by then, of one worker."""
    cpu, memory = [], []
    for _ in range(rounds):
        with started(prepared.service(), prepared.settings, "/readyz") as server:
            cpu.append(server.cpu())
            memory.append(max(server.memory()))
    return cpu, memory


def two_workers(prepared: Prepared, count: int, rounds: int) -> dict[str, list[Run]]:
    """One worker and two, alternately."""
    both = {str(workers): prepared.score(count, workers) for workers in (1, 2)}
    return alternating(both, rounds)


def figures(
    runs_by_side: Mapping[str, Sequence[Run]],
    starting: tuple[list[float], list[float]],
    workers: Mapping[str, Sequence[Run]],
) -> dict[str, Any]:
    """What the goals are about, a figure a round; what is compared was measured in the same round."""

    def ratios(ours: Sequence[Run], theirs: Sequence[Run]) -> list[float]:
        return [one.cpu / other.cpu for one, other in zip(ours, theirs, strict=True)]

    return {
        "score": ratios(runs_by_side["score"], runs_by_side["empty"]),
        "score_plain": ratios(runs_by_side["score_plain"], runs_by_side["empty"]),
        "reasons": ratios(runs_by_side["reasons"], runs_by_side["contributions"]),
        "counterfactuals": ratios(runs_by_side["counterfactuals"], runs_by_side["contributions"]),
        "cpu": starting[0],
        "memory": starting[1],
        "workers": ratios(workers["2"], workers["1"]),
    }


def _tables(
    runs_by_side: Mapping[str, Sequence[Run]],
    starting: tuple[list[float], list[float]],
    workers: Mapping[str, Sequence[Run]],
) -> Iterator[str]:
    first = statistics.median(run.cpu for run in runs_by_side["empty"])
    lines = [
        f"| one worker, {CONNECTIONS} connections | µs CPU | range | times empty | requests/s | p50 ms | p99 ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, runs in runs_by_side.items():
        cpus = [run.cpu for run in runs]
        cpu = statistics.median(cpus)
        rate, p50, p99 = (
            statistics.median(getattr(run, what) for run in runs) for what in ("rate", "p50", "p99")
        )
        lines.append(
            f"| {NAMES[name]} | {cpu:.1f} | {min(cpus):.1f} to {max(cpus):.1f} | {cpu / first:.2f} "
            f"| {rate:,.0f} | {p50:.1f} | {p99:.1f} |"
        )
    yield "\n".join(lines)
    lines = ["| ratio of CPU, or figure | median | range |", "|---|---|---|"]
    for name, values in figures(runs_by_side, starting, workers).items():
        middle = statistics.median(values)
        lines.append(f"| {name} | {middle:.2f} | {min(values):.2f} to {max(values):.2f} |")
    yield "\n".join(lines)
    lines = ["| workers | µs CPU a request | requests/s |", "|---|---|---|"]
    for count, runs in workers.items():
        cpu, rate = (statistics.median(getattr(r, what) for r in runs) for what in ("cpu", "rate"))
        lines.append(f"| {count} | {cpu:.1f} | {rate:,.0f} |")
    yield "\n".join(lines)


def _machine() -> str:
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python "
        f"{platform.python_version()}. Medians."
    )


if __name__ == "__main__":
    sys.exit(main())
