"""Publishes a monitoring run's figures to Prometheus."""

from typing import Annotated, Any

from zenml import step

from churn.reports.monitoring_metrics import published_monitoring
from churn.reports.monitoring_report import MonitoringReport
from churn.settings.monitoring import MonitoringSettings
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(enable_cache=False)
def publish_figures(
    report: MonitoringReport, settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[str, Artifact.PUBLISHED_FIGURES]:
    """Writes the file for node_exporter, and pushes where a gateway is named; returns where they went."""
    with step_progress("publish_figures") as progress:
        options = MonitoringSettings.from_mapping(settings).prometheus
        said = published_monitoring(report).publish(options, folders["metrics"])
        progress.record(said)
    return said
