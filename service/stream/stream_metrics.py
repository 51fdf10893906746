"""Metrics of the stream worker: its own, and those it shares with the API, as one Prometheus page."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from service.core.metrics_page import render_metrics
from service.stream.messages import Rejection

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


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
        self.waiting = gauge("churn_stream_waiting", "Messages of this worker's not read yet")
        self.partitions = gauge("churn_stream_partitions", "Partitions of this worker")
        # Present from the start, so that Prometheus' rate() counts the first one.
        for kind in Rejection.KINDS:
            self.rejected.labels(kind)
        for part in ("kafka", "ledger", "redis"):
            self.failures.labels(part)

    def render(self) -> bytes:
        """Returns the content of /metrics."""
        return render_metrics(self._metrics_folder) + generate_latest(self._registry)
