"""A monitoring run's figures for Prometheus."""

from __future__ import annotations

from typing import get_args

from prometheus_client import CollectorRegistry, Gauge

from churn.monitoring.alarms import Verdict
from churn.reports.monitoring_report import MonitoringReport
from churn.reports.published_figures import PublishedFigures

_JOB = "churn_monitoring"


def monitoring_metrics(report: MonitoringReport) -> CollectorRegistry:
    """The figures of a run; every name begins with `churn_monitoring_`."""
    registry = CollectorRegistry()
    names = ["model", "kind"]
    labels = {"model": report.model, "kind": report.window.kind}

    def gauge(name: str, words: str, *more: str) -> Gauge:
        return Gauge(f"{_JOB}_{name}", words, [*names, *more], registry=registry)

    verdicts = gauge("verdict", "1 for the verdict of the newest check.", "verdict")
    for verdict in get_args(Verdict):
        verdicts.labels(**labels, verdict=verdict).set(verdict == report.verdict)
    checked = gauge("checked_timestamp_seconds", "When the newest check was made.")
    checked.labels(**labels).set(report.past[-1].checked_at.timestamp())
    info = gauge("info", "1; the version that was monitored.", "version")
    info.labels(**labels, version=report.version).set(1)
    for name, figure in report.figures.items():
        gauge(name, f"{name.replace('_', ' ')} of the newest check.").labels(**labels).set(figure)
    psi = gauge("column_psi", "Population stability index of a column.", "column")
    chance = gauge("column_psi_expected", "What chance alone gives.", "column")
    moved = gauge("column_moved", "1 where the column moved, by online FDR.", "column")
    for column in report.check.columns:
        psi.labels(**labels, column=column.name).set(column.psi)
        chance.labels(**labels, column=column.name).set(column.psi_expected)
        moved.labels(**labels, column=column.name).set(column.name in report.moved)
    return registry


def published_monitoring(report: MonitoringReport) -> PublishedFigures:
    """The figures of a run, under the name that the next run of its model and kind replaces."""
    return PublishedFigures(
        _JOB,
        {"model": report.model, "kind": report.window.kind},
        f"churn-{report.model}-{report.window.kind}",
        monitoring_metrics(report),
    )
