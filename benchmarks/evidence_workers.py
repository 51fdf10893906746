"""What a second worker brings, seen: requests a second where each worker may use as much of a core.

    OMP_NUM_THREADS=1 python -m benchmarks.evidence_workers [--share 0.35] [--rounds 5] [--json]

A machine with two cores cannot give one to each of two workers and have any left for whoever asks.
So the kernel holds every worker to the same share of a core, by a control group of its own; what
two then do over what one does is what they lose to each other. Needs Linux, root, and control
groups (either version) that may be made.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.control_groups import held
from benchmarks.evidence_service import prepare
from benchmarks.measuring import BenchmarkError
from benchmarks.serving import Run, Server, Side, load, started

_SPAWNED = b"spawn_main"  # how a worker's command line differs from its parent's
_PATIENCE = 60.0
COUNT = 24_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--share", type=float, default=0.35, help="of a core, for each worker")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    runs: dict[int, list[Run]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        try:
            prepared = prepare(Path(folder))
            for _ in range(options.rounds):
                for workers, measured in runs.items():
                    side = prepared.score(COUNT * workers, workers)
                    measured.append(round_of(side, workers, options.share))
        except BenchmarkError as error:
            print(f"No figures: {error}", file=sys.stderr)
            return 1
    ratios = [two.rate / one.rate for one, two in zip(runs[1], runs[2], strict=True)]
    if options.json:
        print(json.dumps({"workers": ratios}))
        return 0
    print(f"| workers, {options.share:.0%} of a core each | requests/s | range |\n|---|---|---|")
    for workers, measured in runs.items():
        rates = [run.rate for run in measured]
        middle = statistics.median(rates)
        print(f"| {workers} | {middle:,.0f} | {min(rates):,.0f} to {max(rates):,.0f} |")
    middle = statistics.median(ratios)
    print(f"\nTwo over one: {middle:.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    return 0


def round_of(side: Side, workers: int, share: float) -> Run:
    """Starts the service, holds each worker to its share, warms it and loads it."""
    with (
        started(side.command, side.settings, side.ready) as server,
        held(answering(server, workers), share),
    ):
        load(server, side.requests, side.count // 4, side.connections)
        return load(server, side.requests, side.count, side.connections)


def answering(server: Server, workers: int) -> list[int]:
    """The processes that answer: the server itself, or those it has started."""
    if workers == 1:
        return [server.process.pid]
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        processes = [pid for pid in server.pids() if _SPAWNED in _command(pid)]
        if len(processes) == workers:
            time.sleep(1.0)  # both have loaded by now
            return processes
        time.sleep(0.1)
    raise BenchmarkError(f"not {workers} workers could be identified")


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


if __name__ == "__main__":
    if os.name != "posix":
        sys.exit("Control groups are Linux's.")
    sys.exit(main())
