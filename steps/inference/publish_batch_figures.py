"""Publishes a batch run's figures to Prometheus."""

from typing import Annotated, Any

from zenml import step

from churn.reports.batch_metrics import published_batch
from churn.reports.batch_report import BatchReport
from churn.settings.batch_inference import BatchInferenceSettings
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(enable_cache=False)
def publish_batch_figures(
    report: BatchReport, settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[str, Artifact.PUBLISHED_FIGURES]:
    """Writes the file for node_exporter, and pushes where a gateway is named; returns where they went."""
    with step_progress("publish_batch_figures") as progress:
        options = BatchInferenceSettings.from_mapping(settings).prometheus
        said = published_batch(report).publish(options, folders["metrics"])
        progress.record(said)
    return said
