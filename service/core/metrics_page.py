"""The Prometheus page: metrics of all processes of a folder, added up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from math import isnan
from pathlib import Path

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from service.core.worker_metrics import (
    COUNTERS,
    GAUGES,
    LATENCY,
    PROBABILITY,
    ROUTES,
    STATUSES,
    MetricsSnapshot,
    read_metrics_files,
)

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_DESCRIPTIONS = {
    "ledger_waiting": "Predictions that wait to be written to the ledger",
    "ledger_lag_seconds": "Age of the oldest prediction that waits to be written, the worst worker's",
    "ledger_free_bytes": "Bytes that the ledger's files can still grow by",
    "outcomes_waiting": "Requests that wait until their outcomes are written to the ledger",
    "in_flight": "Requests being answered",
    "bundle_refused": "Workers whose store names a bundle that they refuse",
    "draining": "Workers that are about to stop",
    "ledger_written": "Predictions written to the ledger",
    "ledger_dropped": "Predictions lost because too many waited or the ledger could not be written",
    "ledger_failures": "Attempts to write to the ledger that failed",
    "ledger_months_removed": "Months of predictions and outcomes removed from the ledger",
    "bundle_swaps": "Bundles that took the place of another while serving",
    "bundle_refusals": "Bundles that were refused while serving",
    "shadow_failures": "Customers that the shadow could not score",
    "inputs_kept": "Scored customers kept for monitoring",
    "inputs_dropped": "Scored customers not kept: the limit of the day, or a folder that cannot be written",
}

# Sums, unless the workers see the same thing or the worst one counts.
_TOGETHER: Mapping[str, Callable[[list[float]], float]] = {
    "ledger_lag_seconds": max,
    "ledger_free_bytes": min,
}


class _FolderCollector:
    """Collector of prometheus_client over a folder of metrics files."""

    def __init__(self, folder: Path) -> None:
        self._snapshots = read_metrics_files(folder)

    def collect(self) -> Iterable[Metric]:
        workers = [each for each in self._snapshots if each.labels["kind"] == "requests"]
        yield GaugeMetricFamily(
            "churn_workers", "Workers that answer", sum(each.alive for each in workers)
        )
        yield from _requests(workers)
        for name in GAUGES:
            values = [dict(each.named())[name] for each in workers if each.alive]
            values = [value for value in values if not isnan(value)]
            if name == "ledger_free_bytes" and not values:
                continue  # on a server, or not known yet
            total = _TOGETHER.get(name, sum)(values or [0.0])
            yield GaugeMetricFamily(f"churn_{name}", _DESCRIPTIONS[name], total)
        for name in COUNTERS:
            total = sum(dict(each.named())[name] for each in workers)
            yield CounterMetricFamily(f"churn_{name}", _DESCRIPTIONS[name], total)
        yield from _scores([each for each in self._snapshots if each.labels["kind"] == "scores"])


def render_metrics(folder: Path) -> bytes:
    """Returns the content of /metrics."""
    return generate_latest(_FolderCollector(folder))


def _requests(workers: Sequence[MetricsSnapshot]) -> Iterable[Metric]:
    responses = CounterMetricFamily(
        "churn_requests", "Answers by route and status", labels=["route", "status"]
    )
    durations = HistogramMetricFamily(
        "churn_request_seconds", "From the request's head to the answer's end", labels=["route"]
    )
    for place, route in enumerate(ROUTES):
        parts = [each.route(place) for each in workers]
        for column, status in enumerate(STATUSES):
            if count := sum(by_status[column] for by_status, _, _ in parts):
                responses.add_metric([route, str(status or "other")], count)
        counts = [sum(by_time[i] for _, by_time, _ in parts) for i in range(len(LATENCY) + 1)]
        if any(counts):
            buckets = _buckets(LATENCY, counts)
            durations.add_metric([route], buckets, sum(total for _, _, total in parts))
    yield responses
    yield durations


def _scores(snapshots: Sequence[MetricsSnapshot]) -> Iterable[Metric]:
    totals: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * (len(PROBABILITY) + 3))
    serving: dict[tuple[str, str], float] = defaultdict(float)
    for each in snapshots:
        key = each.labels["version"], each.labels["role"]
        totals[key] = [a + b for a, b in zip(totals[key], each.numbers, strict=True)]
        if each.alive:
            serving[key] += each.numbers[-3]
    labels = ["version", "role"]
    info = GaugeMetricFamily("churn_model_version", "Workers that serve a version", labels=labels)
    scores = HistogramMetricFamily(
        "churn_score_probability", "Probabilities that were answered", labels=labels
    )
    positive = CounterMetricFamily(
        "churn_decisions_positive", "Customers who reached the threshold", labels=labels
    )
    for key, numbers in sorted(totals.items()):
        info.add_metric(list(key), serving[key])
        counts = [*numbers[: len(PROBABILITY)], 0.0]
        scores.add_metric(list(key), _buckets(PROBABILITY, counts), numbers[-2])
        positive.add_metric(list(key), numbers[-1])
    yield info
    yield scores
    yield positive


def _buckets(edges: Sequence[float], counts: Sequence[float]) -> list[tuple[str, float]]:
    names = [*map(str, edges), "+Inf"]
    return list(zip(names, accumulate(counts), strict=True))
