"""Measures the final model within groups of customers, on the rows set aside."""

from typing import Annotated, Any

from zenml import step

from churn.data import Dataset
from churn.data.split import Split
from churn.evaluation.plan import SliceSettings
from churn.evaluation.slices import SlicesReport, evaluate_slices
from churn.evaluation.threshold_report import ThresholdReport
from churn.features.encoding import encode, encode_target, take
from churn.models.trained import TrainedModel
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def measure_slices(
    customers: Dataset,
    split: Split,
    model: TrainedModel,
    threshold: ThresholdReport,
    slices: dict[str, Any],
) -> Annotated[SlicesReport, Artifact.SLICES]:
    """ROC-AUC, calibration and selection rate per group, or too few rows to tell."""
    with step_progress("measure_slices") as progress:
        columns = take(encode(customers.frame, customers.contract), split.gate)
        report = evaluate_slices(
            columns,
            customers.contract,
            encode_target(customers.frame, customers.contract)[split.gate],
            model.probability(columns),
            threshold.threshold,
            settings=SliceSettings.model_validate(slices),
        )
        measured = sum(each.verdict == "measured" for each in report.slices)
        progress.record(
            f"{measured} of {len(report.slices)} groups are large enough to tell",
            {"slices": len(report.slices), "measured": measured},
        )
    return report
