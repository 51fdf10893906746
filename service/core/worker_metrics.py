"""Metrics of several processes: each counts into a small file of its own.

A process adds to numbers in a memory-mapped file, which costs nanoseconds and outlives the process.
`service.core.metrics_page` adds up all files. Counters of dead processes keep their value; their
gauges are ignored.
"""

from __future__ import annotations

import json
import mmap
import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

_HEADER_BYTES = 1024  # for the labels
_NUMBER_BYTES = 8
_SUFFIX = ".metrics"

LATENCY = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
PROBABILITY = tuple(round(0.05 * step, 2) for step in range(1, 21))

ROUTES = (
    "/v1/score",
    "/v1/score/batch",
    "/v1/explain",
    "/v1/customers/{id}/score",
    "/v1/outcomes",
    "/v1/treatments",
    "/v2/models/churn/infer",
    "other",
)
STATUSES = (200, 201, 204, 307, 400, 401, 404, 405, 408, 409, 413, 415, 422, 431, 500, 501, 503, 0)
_STATUS_PLACE = {status: place for place, status in enumerate(STATUSES)}
_ROUTE_PLACE = {route: place for place, route in enumerate(ROUTES)}
_ROUTE_WIDTH = len(STATUSES) + len(LATENCY) + 2

GAUGES = (
    "ledger_waiting",
    "ledger_lag_seconds",
    "ledger_free_bytes",
    "outcomes_waiting",
    "in_flight",
    "bundle_refused",
    "draining",
)
COUNTERS = (
    "ledger_written",
    "ledger_dropped",
    "ledger_failures",
    "ledger_months_removed",
    "bundle_swaps",
    "bundle_refusals",
    "shadow_failures",
    "inputs_kept",
    "inputs_dropped",
)


class MetricsFile:
    """One memory-mapped file of numbers under some labels.

    Attributes:
        numbers: float64, to be added to.
    """

    def __init__(self, folder: Path, name: str, size: int, labels: dict[str, str]) -> None:
        path = folder / f"{name}{_SUFFIX}"
        header = json.dumps(labels).encode().ljust(_HEADER_BYTES)
        # If somebody has removed the folder, the next version is served all the same.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Renamed when it is complete, so that nobody reads half a file.
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(header + bytes(size * _NUMBER_BYTES))
        unfinished.rename(path)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self.numbers = memoryview(self._map)[_HEADER_BYTES:].cast("d")
        self._path = path

    def remove(self) -> None:
        """Removes the file: what it counted is on no page any more."""
        self._path.unlink(missing_ok=True)


class RequestMetrics(MetricsFile):
    """Metrics of one process: answers by route and status, their durations, the ledger, the bundle."""

    def __init__(self, folder: Path) -> None:
        size = len(ROUTES) * _ROUTE_WIDTH + len(GAUGES) + len(COUNTERS)
        super().__init__(
            folder, f"requests-{os.getpid()}", size, {"kind": "requests", "pid": str(os.getpid())}
        )
        after = len(ROUTES) * _ROUTE_WIDTH
        self._places = {name: after + place for place, name in enumerate((*GAUGES, *COUNTERS))}
        self.set_gauge("ledger_free_bytes", nan)  # not known yet

    def count_response(self, route: str, status: int, seconds: float) -> None:
        """Counts an answer."""
        start = _ROUTE_PLACE.get(route, len(ROUTES) - 1) * _ROUTE_WIDTH
        numbers = self.numbers
        numbers[start + _STATUS_PLACE.get(status, len(STATUSES) - 1)] += 1.0
        start += len(STATUSES)
        numbers[start + bisect_left(LATENCY, seconds)] += 1.0
        numbers[start + len(LATENCY) + 1] += seconds

    def increment(self, counter: str, amount: float = 1.0) -> None:
        """Adds to a counter."""
        self.numbers[self._places[counter]] += amount

    def set_gauge(self, gauge: str, value: float) -> None:
        """Sets a gauge."""
        self.numbers[self._places[gauge]] = value


class ScoreMetrics(MetricsFile):
    """Scores of one version in one process: how many, with which probabilities; if it serves now."""

    def __init__(self, folder: Path, load_number: int, version: str, role: str) -> None:
        labels = {"kind": "scores", "pid": str(os.getpid()), "version": version, "role": role}
        name = f"scores-{os.getpid()}-{load_number}"
        super().__init__(folder, name, len(PROBABILITY) + 3, labels)

    def count_score(self, probability: float, *, decision: bool) -> None:
        """Counts a score."""
        numbers = self.numbers
        numbers[bisect_left(PROBABILITY, probability)] += 1.0
        numbers[-2] += probability
        if decision:
            numbers[-1] += 1.0

    def set_serving(self, *, serving: bool) -> None:
        """Sets whether the process serves the version; what it counted stays."""
        self.numbers[-3] = float(serving)


@dataclass(frozen=True)
class MetricsSnapshot:
    """The content of one file, and whether its process is still running."""

    labels: dict[str, str]
    numbers: Sequence[float]
    alive: bool

    def route(self, place: int) -> tuple[Sequence[float], Sequence[float], float]:
        """Returns a route's answers by status, by duration, and the sum of the durations."""
        part = self.numbers[place * _ROUTE_WIDTH : (place + 1) * _ROUTE_WIDTH]
        return part[: len(STATUSES)], part[len(STATUSES) : -1], part[-1]

    def named(self) -> Iterator[tuple[str, float]]:
        """Yields the gauges, then the counters."""
        yield from zip(
            (*GAUGES, *COUNTERS), self.numbers[len(ROUTES) * _ROUTE_WIDTH :], strict=True
        )


def read_metrics_files(folder: Path) -> list[MetricsSnapshot]:
    """Returns the numbers of every process, running or not."""
    snapshots = []
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue  # a worker has just removed it
        labels: dict[str, Any] = json.loads(content[:_HEADER_BYTES])
        numbers = memoryview(content)[_HEADER_BYTES:].cast("d").tolist()
        snapshots.append(MetricsSnapshot(labels, numbers, _is_running(int(labels["pid"]))))
    return snapshots


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as another user
    return True
