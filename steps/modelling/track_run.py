"""Logs the run to the stack's experiment tracker."""

from typing import Annotated, Any

from zenml import get_step_context, step
from zenml.io import fileio

from churn.models.trained import TrainedModel
from churn.reports.training.training_report import TrainingReport
from materializers.report_visualizations import PAGE
from registry.artifacts import Artifact
from registry.mlflow_tracking import log_training_run, require_experiment
from steps.caching import CODE_AWARE
from steps.progress import step_progress


@step(cache_policy=CODE_AWARE)
def track_run(
    model: TrainedModel, report: TrainingReport, settings: dict[str, Any], experiment: str
) -> Annotated[str, Artifact.TRACKED_RUN]:
    """Logs parameters, metrics, plots, the report and the model to MLflow.

    The stack's tracker has opened the run. A cached rerun logs nothing, because nothing new was
    tried. `experiment` names experiment and tracking database; it is a parameter, so that the cached
    result, MLflow's id of the run, is not used when the tracked runs were removed or moved.
    """
    with step_progress("track_run") as progress:
        require_experiment(experiment)
        stored = get_step_context().inputs["report"][0].uri
        with fileio.open(f"{stored}/{PAGE}", "rb") as file:
            page = bytes(file.read()).decode()
        run_id = log_training_run(model, report, settings, page)
        progress.record(f"MLflow run {run_id[:8]}", {"mlflow_run_id": run_id})
    return run_id
