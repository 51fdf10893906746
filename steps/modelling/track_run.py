"""Tells the stack's experiment tracker what was tried, what came out, and the model itself."""

from pathlib import Path
from typing import Annotated, Any

from zenml import get_step_context, step
from zenml.io import fileio

from churn.models.trained import TrainedModel
from churn.reports.charts.chart_style import as_png
from churn.reports.training.training_page import report_charts
from churn.reports.training.training_report import TrainingReport
from churn.root import ROOT
from materializers.report_visualizations import PAGE
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress

_PARAMETER_LENGTH = 6000  # MLflow's own limit for one value


@step(cache_policy=CODE_AWARE)
def track_run(
    model: TrainedModel, report: TrainingReport, settings: dict[str, Any], experiment: str
) -> Annotated[str, Artifact.TRACKED_RUN]:
    """Logs parameters, metrics, plots, the report and the model to MLflow.

    The stack's tracker has opened the run: this step only fills it. A cached rerun adds nothing,
    because nothing new was tried.

    Args:
        model: The final model.
        report: Everything the run found.
        settings: What the run was told, as plain values.
        experiment: Which experiment of which tracking database this goes into; it is here so that
            the cached result falls when the tracked runs were removed or moved.

    Returns:
        MLflow's id of the run.
    """
    import mlflow

    with step_progress("track_run") as progress:
        run = mlflow.active_run()
        if run is None:
            raise RuntimeError("track_run needs a stack with an MLflow experiment tracker")
        mlflow.set_tags({"profile": report.profile, "verdict": report.decision.verdict})
        mlflow.log_params(parameters(settings))
        mlflow.log_metrics(report.figures)
        mlflow.log_text(_page(), "training_report.html")
        for name, figure in report_charts(report).items():
            _log_png(as_png(figure), f"plots/{name}.png")
        mlflow.log_table(_columns(report), "candidates.json")
        _log_model(model)
        _log_trials(report)
        progress.record(f"MLflow run {run.info.run_id[:8]}", {"mlflow_run_id": run.info.run_id})
    return str(run.info.run_id)


def parameters(settings: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Settings as flat dotted names; lists in one line, longer than MLflow takes cut."""
    flat: dict[str, str] = {}
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat |= parameters(value, f"{name}.")
        elif value is not None:
            text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            flat[name] = text[:_PARAMETER_LENGTH]
    return flat


def _page() -> str:
    """The report's page, which was drawn when its artifact was stored."""
    stored = get_step_context().inputs["report"][0].uri
    with fileio.open(f"{stored}/{PAGE}", "rb") as file:
        return bytes(file.read()).decode()


def _columns(report: TrainingReport) -> dict[str, list[Any]]:
    table = report.protocol.table()
    return {name: [row[name] for row in table] for name in table[0]}


def _log_png(content: bytes, place: str) -> None:
    import tempfile

    import mlflow

    folder, _, name = place.rpartition("/")
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / name
        file.write_bytes(content)
        mlflow.log_artifact(str(file), folder)


def _log_trials(report: TrainingReport) -> None:
    """One child run a trial, so that MLflow can set a search's trials side by side."""
    import mlflow

    for search in report.searches.reports if report.searches else ():
        for trial in search.trials:
            name = f"{search.recipe} trial {trial.number}"
            with mlflow.start_run(run_name=name, nested=True):
                mlflow.set_tags({"recipe": search.recipe, "state": trial.state})
                mlflow.log_params(trial.parameters)
                figures = {"inner_log_loss": trial.value, "seconds": trial.seconds}
                mlflow.log_metrics({k: v for k, v in figures.items() if v is not None})


def _log_model(model: TrainedModel) -> None:
    """The model as MLflow serves it: this project's code and native files, never a pickle."""
    import tempfile

    import mlflow

    from registry.mlflow_signature import model_signature
    from registry.packed_code import pack_code

    with tempfile.TemporaryDirectory() as temporary:
        model.save(Path(temporary) / "model")
        mlflow.pyfunc.log_model(
            name="model",
            python_model=str(ROOT / "registry" / "mlflow_model.py"),
            artifacts={"model": str(Path(temporary) / "model")},
            code_paths=[str(pack_code(ROOT / "churn", Path(temporary)))],
            signature=model_signature(model.contract),
            pip_requirements=["lightgbm", "numpy", "pandas", "pydantic", "pyyaml", "scikit-learn"],
        )
