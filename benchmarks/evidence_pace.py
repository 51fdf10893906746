"""What a score costs at a rate of requests that come at random, as real ones do.

    OMP_NUM_THREADS=1 python -m benchmarks.evidence_pace [--seconds 3] [--rounds 3]

A load that asks again as soon as it is answered always has as many requests under way as it has
connections, and what comes together is answered together. Requests of many independent callers come
at random instead (a Poisson process): few at a time while a worker has time, more when it is busy.
One worker with key, metrics and ledger, and FastAPI's empty endpoint; a request waits for one of 64
connections if none is free, which is part of the time that is told. Prints that as a Markdown table,
and one of loads that ask without pause, by how many ask at once.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.evidence_service import EMPTY, prepare
from benchmarks.measuring import BenchmarkError
from benchmarks.serving import Run, Side, load, requests, started

CONNECTIONS = 64
RATES = (100, 500, 1000, 2000, 4000, 8000, 12_000)
AT_ONCE = (1, 4, 8, 16, 32, 64)
MOST_OF_EMPTY = 8000  # a second; more than that it cannot answer
_MANY = 12_000
_HEAD = (
    "| requests a second | µs CPU each | range | share of a core | ms until half are answered "
    "| 99 of 100 | the empty endpoint, µs CPU | share of a core |"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="of each rate in a round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    runs_by_rate: dict[tuple[str, int], list[Run]] = {}
    closed: dict[int, list[Run]] = {many: [] for many in AT_ONCE}
    with tempfile.TemporaryDirectory() as folder:
        try:
            ours = prepare(Path(folder)).score(1)
            nothing = requests(Path(folder) / "empty", "GET", "/", [b""])
            empty = Side([sys.executable, "-c", EMPTY, "{port}"], nothing, 1, {})
            for _ in range(options.rounds):
                for name, side in (("ours", ours), ("empty", empty)):
                    with started(side.command, side.settings, side.ready) as server:
                        load(server, side.requests, 2000, CONNECTIONS)
                        for rate in RATES:
                            if name == "ours" or rate <= MOST_OF_EMPTY:
                                count = round(rate * options.seconds)
                                run = load(server, side.requests, count, CONNECTIONS, rate)
                                runs_by_rate.setdefault((name, rate), []).append(run)
                        if name == "ours":
                            for many, runs in closed.items():
                                runs.append(load(server, side.requests, _MANY, many))
        except BenchmarkError as error:
            print(f"No figures: {error}", file=sys.stderr)
            return 1
    print(table(runs_by_rate), without_pause(closed), sep="\n\n")
    return 0


def table(runs_by_rate: dict[tuple[str, int], list[Run]]) -> str:
    """A line a rate; medians."""
    lines = [_HEAD, "|---|---|---|---|---|---|---|---|"]
    for rate in RATES:
        runs, others = runs_by_rate["ours", rate], runs_by_rate.get(("empty", rate), [])
        cpus = [run.cpu for run in runs]
        p50, p99 = (
            statistics.median(getattr(run, what) for run in runs) for what in ("p50", "p99")
        )
        beside = f"{statistics.median(run.cpu for run in others):.0f}" if others else "-"
        lines.append(
            f"| {rate:,} | {statistics.median(cpus):.0f} | {min(cpus):.0f} to {max(cpus):.0f} "
            f"| {_share(runs)} | {p50:.2f} | {p99:.1f} | {beside} | {_share(others)} |"
        )
    return "\n".join(lines)


def without_pause(runs_by_rate: dict[int, list[Run]]) -> str:
    """A line for each number of connections; medians."""
    lines = [
        "| connections | µs CPU a request | requests/s | ms until half are answered |",
        "|---|---|---|---|",
    ]
    for many, runs in runs_by_rate.items():
        cpu, rate, p50 = (
            statistics.median(getattr(run, what) for run in runs) for what in ("cpu", "rate", "p50")
        )
        lines.append(f"| {many} | {cpu:.0f} | {rate:,.0f} | {p50:.2f} |")
    return "\n".join(lines)


def _share(runs: Sequence[Run]) -> str:
    return f"{statistics.median(run.cpu * run.rate / 1e6 for run in runs):.0%}" if runs else "-"


if __name__ == "__main__":
    sys.exit(main())
