"""StreamMetrics that processes count by themselves and show together: a small file of numbers each.

A worker adds to numbers in a memory-mapped file, which costs nanoseconds and outlives the worker;
whoever is asked for metrics adds up all files. Counters of dead workers go on counting, their
gauges do not.
"""

from __future__ import annotations

import json
import mmap
import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HEAD = 1024  # bytes for the labels
_NUMBER = 8
_SUFFIX = ".tally"

LATENCY = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
PROBABILITY = tuple(round(0.05 * step, 2) for step in range(1, 21))

ROUTES = (
    "/v1/score",
    "/v1/score/batch",
    "/v1/explain",
    "/v1/outcomes",
    "/v2/models/churn/infer",
    "other",
)
STATUSES = (200, 201, 400, 401, 404, 405, 413, 415, 422, 500, 501, 503, 0)
_STATUS_PLACE = {status: place for place, status in enumerate(STATUSES)}
_ROUTE_PLACE = {route: place for place, route in enumerate(ROUTES)}
_WIDTH = len(STATUSES) + len(LATENCY) + 2

GAUGES = ("ledger_waiting", "ledger_lag_seconds", "in_flight", "bundle_refused", "draining")
COUNTERS = (
    "ledger_written",
    "ledger_dropped",
    "ledger_failures",
    "bundle_swaps",
    "bundle_refusals",
    "shadow_failures",
)


class MetricsFile:
    """One file of numbers under some labels.

    Attributes:
        numbers: to be added to, float64.
    """

    def __init__(self, folder: Path, name: str, size: int, labels: dict[str, str]) -> None:
        path = folder / f"{name}{_SUFFIX}"
        head = json.dumps(labels).encode().ljust(_HEAD)
        # Renamed into place: a reader never sees half a file.
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(head + bytes(size * _NUMBER))
        unfinished.rename(path)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self.numbers = memoryview(self._map)[_HEAD:].cast("d")


class RequestMetrics(MetricsFile):
    """What one worker did: answers by route and status, their durations, the ledger, the bundle."""

    def __init__(self, folder: Path) -> None:
        size = len(ROUTES) * _WIDTH + len(GAUGES) + len(COUNTERS)
        super().__init__(
            folder, f"requests-{os.getpid()}", size, {"kind": "requests", "pid": str(os.getpid())}
        )
        after = len(ROUTES) * _WIDTH
        self._places = {name: after + place for place, name in enumerate((*GAUGES, *COUNTERS))}

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Counts an answer."""
        start = _ROUTE_PLACE.get(route, len(ROUTES) - 1) * _WIDTH
        numbers = self.numbers
        numbers[start + _STATUS_PLACE.get(status, len(STATUSES) - 1)] += 1.0
        start += len(STATUSES)
        numbers[start + bisect_left(LATENCY, seconds)] += 1.0
        numbers[start + len(LATENCY) + 1] += seconds

    def add(self, name: str, much: float = 1.0) -> None:
        """Adds to a counter."""
        self.numbers[self._places[name]] += much

    def put(self, name: str, value: float) -> None:
        """Sets a gauge."""
        self.numbers[self._places[name]] = value


class ScoreMetrics(MetricsFile):
    """What one version answered in one worker: how often, with which probabilities."""

    def __init__(self, folder: Path, turn: int, version: str, role: str) -> None:
        labels = {"kind": "scores", "pid": str(os.getpid()), "version": version, "role": role}
        labels["turn"] = str(turn)
        super().__init__(folder, f"scores-{os.getpid()}-{turn}", len(PROBABILITY) + 2, labels)

    def scored(self, probability: float, *, decision: bool) -> None:
        """Counts a score."""
        numbers = self.numbers
        numbers[bisect_left(PROBABILITY, probability)] += 1.0
        numbers[-2] += probability
        if decision:
            numbers[-1] += 1.0


@dataclass(frozen=True)
class Found:
    """One file as it was read.

    Attributes:
        labels: whose numbers these are.
        numbers: as they stood.
        alive: whether its process still is.
    """

    labels: dict[str, str]
    numbers: Sequence[float]
    alive: bool

    def route(self, place: int) -> tuple[Sequence[float], Sequence[float], float]:
        """A route's answers by status, by duration, and the durations' sum."""
        part = self.numbers[place * _WIDTH : (place + 1) * _WIDTH]
        return part[: len(STATUSES)], part[len(STATUSES) : -1], part[-1]

    def named(self) -> Iterator[tuple[str, float]]:
        """Gauges, then counters."""
        yield from zip((*GAUGES, *COUNTERS), self.numbers[len(ROUTES) * _WIDTH :], strict=True)


def read_metrics_files(folder: Path) -> list[Found]:
    """Every worker's numbers, of the living and the dead."""
    found = []
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        content = path.read_bytes()
        labels: dict[str, Any] = json.loads(content[:_HEAD])
        numbers = memoryview(content)[_HEAD:].cast("d").tolist()
        found.append(Found(labels, numbers, _alive(int(labels["pid"]))))
    return found


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
