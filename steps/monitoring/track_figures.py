"""Logs a monitoring run to the stack's experiment tracker."""

from typing import Annotated

from zenml import step

from churn.reports.monitoring_page import render_monitoring_page
from churn.reports.monitoring_report import MonitoringReport
from registry.artifacts import Artifact
from registry.mlflow_tracking import log_monitoring_run, require_experiment
from steps.progress import step_progress


@step(enable_cache=False)
def track_figures(
    report: MonitoringReport, experiment: str
) -> Annotated[str, Artifact.TRACKED_RUN]:
    """Logs figures, verdict and page to the MLflow run that the stack's tracker has opened."""
    with step_progress("track_figures") as progress:
        require_experiment(experiment)
        run_id = log_monitoring_run(report, render_monitoring_page(report))
        progress.record(f"MLflow run {run_id[:8]}", {"mlflow_run_id": run_id})
    return run_id
