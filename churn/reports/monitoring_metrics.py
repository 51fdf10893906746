"""A monitoring run's figures for Prometheus: a file for node_exporter, or a push to a Pushgateway."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    push_to_gateway,
    write_to_textfile,
)

from churn.monitoring.alarms import Verdict
from churn.reports.monitoring_report import MonitoringReport

_JOB = "churn_monitoring"
_SECONDS = 10.0


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


def write_metrics(report: MonitoringReport, folder: Path) -> Path:
    """Writes the figures to `churn-MODEL-KIND.prom`, whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"churn-{report.model}-{report.window.kind}.prom"
    write_to_textfile(str(path), monitoring_metrics(report))
    return path


def push_metrics(report: MonitoringReport, gateway: str) -> None:
    """Pushes the figures; those of another model or kind stay.

    Raises:
        OSError: the gateway does not answer, or refuses.
    """
    push_to_gateway(
        gateway,
        job=_JOB,
        grouping_key={"model": report.model, "kind": report.window.kind},
        registry=monitoring_metrics(report),
        timeout=_SECONDS,
    )
