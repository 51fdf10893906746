"""A training run in MLflow: parameters, metrics, plots, the report, the model and every trial."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from churn.contract import DataContract
from churn.contract.refusals import allowed_values
from churn.errors import ChurnError
from churn.models.trained import TrainedModel
from churn.reports.charts.chart_style import as_png
from churn.reports.monitoring_report import MonitoringReport
from churn.reports.training.training_page import report_charts
from churn.reports.training.training_report import TrainingReport
from churn.root import ROOT
from registry.packed_code import pack_code
from stacks.tracking import experiment_identity

_PARAMETER_LENGTH = 6000  # MLflow's own limit for one value
_REQUIREMENTS = ["lightgbm", "numpy", "pandas", "pydantic", "pyyaml", "scikit-learn"]


def log_training_run(
    model: TrainedModel, report: TrainingReport, settings: Mapping[str, Any], page: str
) -> str:
    """Logs a training run, with the report's HTML page, to the active MLflow run; returns its id.

    Raises:
        RuntimeError: no run is active.
    """
    import mlflow

    run = mlflow.active_run()
    if run is None:
        raise RuntimeError("track_run needs a stack with an MLflow experiment tracker")
    decision = report.decision
    mlflow.set_tags(
        {"profile": report.profile, "verdict": decision.verdict, "status": decision.status}
    )
    mlflow.log_params(_flat(settings))
    mlflow.log_metrics(report.figures)
    mlflow.log_text(page, "training_report.html")
    with tempfile.TemporaryDirectory() as folder:
        for name, figure in report_charts(report).items():
            plot = Path(folder) / f"{name}.png"
            plot.write_bytes(as_png(figure))
            mlflow.log_artifact(str(plot), "plots")
    rows = report.protocol.table()
    mlflow.log_table({name: [row[name] for row in rows] for name in rows[0]}, "candidates.json")
    _log_model(model)
    _log_trials(report)
    return str(run.info.run_id)


def log_monitoring_run(report: MonitoringReport, page: str) -> str:
    """Logs a monitoring run's figures and page to the active MLflow run; returns its id.

    Raises:
        RuntimeError: no run is active.
    """
    import mlflow

    run = mlflow.active_run()
    if run is None:
        raise RuntimeError("track_figures needs a stack with an MLflow experiment tracker")
    window = report.window
    mlflow.set_tags({"verdict": report.verdict, "window": window.id, "monitored": report.version})
    mlflow.log_metrics(report.figures)
    mlflow.log_metrics({f"psi.{each.name}": each.psi for each in report.check.columns})
    mlflow.log_text(page, "monitoring_report.html")
    return str(run.info.run_id)


def require_experiment(identity: str) -> None:
    """Checks that the active MLflow run is in the experiment that was prepared before the run.

    Raises:
        ChurnError: another run has pointed the stack's tracker at another database meanwhile.
    """
    import mlflow

    run = mlflow.active_run()
    found = mlflow.get_experiment(run.info.experiment_id) if run else None
    if found is not None and experiment_identity(found) != identity:
        raise ChurnError(
            "Another run has pointed this stack's experiment tracker at another database meanwhile: "
            "both use one ZenML, with two output folders. Run it again when the other has ended, or "
            "unset ZENML_CONFIG_PATH, so that each folder has a ZenML of its own."
        )


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Returns settings by dotted name; a list in one line, cut at MLflow's limit."""
    flat: dict[str, str] = {}
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat |= _flat(value, f"{name}.")
        elif value is not None:
            text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            flat[name] = text[:_PARAMETER_LENGTH]
    return flat


def _log_model(model: TrainedModel) -> None:
    """Logs the model as MLflow serves it: this project's code and native files, never a pickle."""
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model")
        mlflow.pyfunc.log_model(
            name="model",
            python_model=str(ROOT / "registry" / "mlflow_model.py"),
            artifacts={"model": str(Path(folder) / "model")},
            code_paths=[str(pack_code(ROOT / "churn", Path(folder)))],
            signature=model_signature(),
            metadata=_described(model.contract),
            pip_requirements=_REQUIREMENTS,
        )


def model_signature() -> Any:
    """Returns the signature: one probability a customer, and no input columns.

    With columns MLflow converts or refuses the input by its own types before the model sees it:
    it refuses pandas' `category`, whole numbers for a text and a blank for a number, drops unknown
    columns, and with types left open its server reads no CSV. The model checks by the contract.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    return ModelSignature(outputs=Schema([ColSpec(DataType.double, "probability")]))


def _described(contract: DataContract) -> dict[str, Any]:
    """Returns what the model's page says of its input: the contract, and what each field may be."""
    fields = [{"name": each.name, "allowed": allowed_values(each)} for each in contract.features]
    return {"contract": contract.name, "contract_version": contract.version, "fields": fields}


def _log_trials(report: TrainingReport) -> None:
    """Logs each trial as a child run, so that MLflow can compare a search's trials."""
    import mlflow

    for search in report.searches.reports if report.searches else ():
        for trial in search.trials:
            name = f"{search.recipe} trial {trial.number}"
            with mlflow.start_run(run_name=name, nested=True):
                mlflow.set_tags({"recipe": search.recipe, "state": trial.state})
                mlflow.log_params(trial.parameters)
                figures = {"inner_log_loss": trial.value, "seconds": trial.seconds}
                mlflow.log_metrics({k: v for k, v in figures.items() if v is not None})
