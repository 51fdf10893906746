"""Asks Deepchecks about the table, its split and the model."""

from typing import Annotated, Any

from zenml import step

from churn.dataset import Dataset
from churn.models.trained import TrainedModel
from churn.split import Split
from churn.validation.deepchecks_suites import validate
from churn.validation.report import ValidationReport
from churn.validation.settings import ValidationSettings
from materializers.report import ReportMaterializer
from steps.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import stage


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def run_deepchecks(
    customers: Dataset, split: Split, model: TrainedModel, validation: dict[str, Any]
) -> Annotated[ValidationReport, Artifact.VALIDATION]:
    """Runs its three tabular suites; a failing report is kept, and who reads it acts on it."""
    with stage("run_deepchecks") as found:
        settings = ValidationSettings.model_validate(validation)
        report = validate(customers.frame, split, model, settings)
        found(
            f"{report.held} of {len(report.findings)} conditions hold: {report.verdict}",
            {
                "verdict": report.verdict,
                "conditions": len(report.findings),
                "held": report.held,
                "suite_seconds": dict(report.seconds),
            },
        )
    return report
