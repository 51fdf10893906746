"""Metrics of the stream worker: its own, and those it shares with the API, as one Prometheus page."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from service.core.metrics_page import render_metrics
from service.stream.messages import Rejection

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class StreamMetrics:
    """The worker's own metrics.

    Attributes:
        scored: messages that were scored, counted when their offsets are committed.
        rejected: messages that went to the dead-letter topic, by what is wrong with them.
        repeated: messages whose commit the group refused; another worker reads them again.
        sessions: connections to the brokers that were opened.
        failures: failed attempts, by what did not answer.
        batch_seconds: from a batch's first message read to its commit.
        waiting: messages of this worker's partitions that are not read yet.
        partitions: how many this worker has.
    """

    def __init__(self, metrics_folder: Path) -> None:
        """Starts at zero.

        Args:
            metrics_folder: folder of the metrics about scores, bundles and the ledger.
        """
        self._metrics_folder = metrics_folder
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.scored = Counter("churn_stream_scored", "Messages that were scored", registry=registry)
        self.rejected = Counter(
            "churn_stream_rejected",
            "Messages that went to the dead-letter topic, by what is wrong with them",
            ["kind"],
            registry=registry,
        )
        self.repeated = Counter(
            "churn_stream_repeated", "Messages that a worker reads again", registry=registry
        )
        self.sessions = Counter(
            "churn_stream_sessions", "Connections to the brokers", registry=registry
        )
        self.failures = Counter(
            "churn_stream_failures",
            "Attempts that failed, by what did not answer",
            ["part"],
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "churn_stream_batch_seconds",
            "From reading a batch to its commit",
            buckets=_SECONDS,
            registry=registry,
        )
        self.waiting = Gauge(
            "churn_stream_waiting", "Messages of this worker's not read yet", registry=registry
        )
        self.partitions = Gauge(
            "churn_stream_partitions", "Partitions of this worker", registry=registry
        )
        # Present from the start, so that Prometheus' rate() counts the first one.
        for kind in Rejection.KINDS:
            self.rejected.labels(kind)
        for part in ("kafka", "ledger", "redis"):
            self.failures.labels(part)

    def render(self) -> bytes:
        """Returns the content of /metrics."""
        return render_metrics(self._metrics_folder) + generate_latest(self._registry)
