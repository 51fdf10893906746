"""Metrics of the stream worker: its own, and those it shares with the API, as one Prometheus page."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from service.core.metrics_page import render_metrics
from service.stream.messages import Rejection

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_FRESH_SECONDS = 30.0


class FreshGauge(Collector):
    """A gauge that is absent while its value is unknown: what nobody measures has no value."""

    def __init__(self, name: str, description: str) -> None:
        """Begins without a value."""
        self._name, self._description = name, description
        self._value: float | None = None
        self._set_at = 0.0

    def set(self, value: float | None) -> None:
        """Sets the value, which counts as known for half a minute; None if it is unknown."""
        self._value, self._set_at = value, time.monotonic()

    def collect(self) -> Iterator[Metric]:
        """Yields the value if it is known."""
        if self._value is not None and time.monotonic() - self._set_at < _FRESH_SECONDS:
            yield GaugeMetricFamily(self._name, self._description, self._value)


class StreamMetrics:
    """The worker's own metrics; messages count as scored when their offsets are committed."""

    def __init__(self, metrics_folder: Path) -> None:
        """Starts at zero; the folder has the metrics about scores, bundles and the ledger."""
        self._metrics_folder = metrics_folder
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        counter, gauge = partial(Counter, registry=registry), partial(Gauge, registry=registry)
        self.scored = counter("churn_stream_scored", "Messages that were scored")
        self.rejected = counter(
            "churn_stream_rejected",
            "Messages that went to the dead-letter topic, by what is wrong with them",
            ["kind"],
        )
        self.repeated = counter("churn_stream_repeated", "Messages that a worker reads again")
        self.lost = counter(
            "churn_stream_lost", "Offsets or entries that were deleted before the group read them"
        )
        self.sessions = counter("churn_stream_sessions", "Connections to the brokers")
        self.failures = counter(
            "churn_stream_failures", "Attempts that failed, by what did not answer", ["part"]
        )
        self.batch_seconds = Histogram(
            "churn_stream_batch_seconds",
            "From reading a batch to its commit",
            buckets=_SECONDS,
            registry=registry,
        )
        self.waiting = FreshGauge(
            "churn_stream_waiting",
            "Messages not done yet: of this worker's partitions, or its share of a Redis group's",
        )
        registry.register(self.waiting)
        self.partitions = gauge("churn_stream_partitions", "Partitions of this worker")
        # Present from the start, so that Prometheus' rate() counts the first one.
        for kind in Rejection.KINDS:
            self.rejected.labels(kind)
        for part in ("kafka", "streams", "ledger", "online_store", "redis"):
            self.failures.labels(part)

    def render(self) -> bytes:
        """Returns the content of /metrics."""
        return render_metrics(self._metrics_folder) + generate_latest(self._registry)
