"""Chooses the decision threshold."""

from typing import Annotated, Any

from zenml import step

from churn.data import Dataset
from churn.data.split import Split
from churn.evaluation.cross_validation import OutOfFold
from churn.evaluation.final_threshold import final_threshold
from churn.evaluation.recalibration import Recalibration
from churn.evaluation.threshold_report import ThresholdReport
from churn.models.trained import TrainedModel
from churn.retention.value_settings import ThresholdSettings, ValueSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def choose_threshold(
    customers: Dataset,
    split: Split,
    out_of_fold: OutOfFold,
    recalibration: Recalibration,
    model: TrainedModel,
    value: dict[str, Any],
    threshold: dict[str, Any],
) -> Annotated[ThresholdReport, Artifact.THRESHOLD]:
    """Chooses by expected profit, capacity and F-beta, on the scores that are served."""
    with step_progress("choose_threshold") as progress:
        report = final_threshold(
            customers,
            split,
            out_of_fold,
            recalibration,
            model,
            value=ValueSettings.model_validate(value),
            settings=ThresholdSettings.model_validate(threshold),
        )
        progress.record(
            f"{report.threshold:.1%}, contacts {report.chosen.campaign.share:.0%}; money is assumed",
            report.figures,
        )
    return report
