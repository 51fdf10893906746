"""A batch run's figures for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from churn.reports.batch_report import BatchReport
from churn.reports.published_figures import PublishedFigures

_JOB = "churn_batch"


def batch_metrics(report: BatchReport) -> CollectorRegistry:
    """The figures of a run; every name begins with `churn_batch_`."""
    registry, scored = CollectorRegistry(), report.distribution

    def gauge(name: str, words: str, *more: str) -> Gauge:
        return Gauge(f"{_JOB}_{name}", words, ["model", *more], registry=registry)

    for name, figure in report.figures.items():
        gauge(name, f"{name.replace('_', ' ')} of the newest run.").labels(report.model).set(figure)
    at = gauge("scored_timestamp_seconds", "When the newest run's customers were scored.")
    at.labels(report.model).set(scored.scored_at.timestamp())
    share = gauge("positive_share", "Share of the customers that reach the threshold.")
    share.labels(report.model).set(scored.share)
    info = gauge("info", "1; the version that scored.", "version")
    info.labels(report.model, scored.version).set(1)
    bins = gauge(
        "scores", "Customers whose probability lies below `below`, and in no bin before.", "below"
    )
    for place, count in enumerate(scored.histogram, start=1):
        bins.labels(report.model, f"{place / len(scored.histogram):.2f}").set(count)
    return registry


def published_batch(report: BatchReport) -> PublishedFigures:
    """The figures of a run, under the name that the model's next run replaces."""
    return PublishedFigures(
        _JOB, {"model": report.model}, f"churn-batch-{report.model}", batch_metrics(report)
    )
