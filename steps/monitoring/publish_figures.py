"""Publishes a monitoring run's figures to Prometheus."""

from pathlib import Path
from typing import Annotated, Any

from zenml import step

from churn.errors import error_reason
from churn.reports.monitoring_metrics import push_metrics, write_metrics
from churn.reports.monitoring_report import MonitoringReport
from churn.settings.monitoring import MonitoringSettings
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(enable_cache=False)
def publish_figures(
    report: MonitoringReport, settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[str, Artifact.PUBLISHED_FIGURES]:
    """Writes the file for node_exporter, and pushes where a gateway is named.

    A place that cannot be reached is named, and costs the run nothing: the verdict is known already.

    Returns:
        Where the figures went, in a sentence.
    """
    with step_progress("publish_figures") as progress:
        options = MonitoringSettings.from_mapping(settings).prometheus
        said = []
        try:
            path = write_metrics(report, Path(options.folder or folders["metrics"]).expanduser())
            said.append(f"written to {path}")
        except OSError as error:
            said.append(f"not written: {error_reason(error)}")
        if options.pushgateway:
            try:
                push_metrics(report, options.pushgateway)
                said.append(f"pushed to {options.pushgateway}")
            except (OSError, ValueError) as error:
                said.append(f"not pushed to {options.pushgateway}: {error_reason(error)}")
        progress.record("; ".join(said))
    return "; ".join(said)
