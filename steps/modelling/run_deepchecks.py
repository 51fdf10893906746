"""Checks the table, its split and the model with Deepchecks."""

from typing import Annotated, Any

from zenml import step

from churn.checks.deepchecks.deepchecks_report import ValidationReport
from churn.checks.deepchecks.deepchecks_settings import ValidationSettings
from churn.checks.deepchecks.suites import validate
from churn.data import Dataset
from churn.data.split import Split
from churn.models.trained import TrainedModel
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def run_deepchecks(
    customers: Dataset, split: Split, model: TrainedModel, validation: dict[str, Any]
) -> Annotated[ValidationReport, Artifact.VALIDATION]:
    """Runs its three tabular suites; a failing report is stored and stops nothing."""
    with step_progress("run_deepchecks") as progress:
        settings = ValidationSettings.model_validate(validation)
        report = validate(customers.frame, split, model, settings)
        progress.record(
            f"{report.held} of {len(report.findings)} conditions hold: {report.verdict}",
            {
                "verdict": report.verdict,
                "conditions": len(report.findings),
                "held": report.held,
                "suite_seconds": dict(report.seconds),
            },
        )
    return report
