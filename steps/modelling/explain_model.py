"""Explains the final model."""

from typing import Annotated

from zenml import step

from churn.data import Dataset
from churn.data.split import Split
from churn.explain.explanation_report import ExplanationReport
from churn.explain.overview import explain
from churn.features.encoding import encode, take
from churn.models.trained import TrainedModel
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def explain_model(
    customers: Dataset, split: Split, model: TrainedModel
) -> Annotated[ExplanationReport, Artifact.EXPLANATION]:
    """Explains the model on the rows it was fitted on, in aggregate."""
    with step_progress("explain_model") as progress:
        contract = customers.contract
        columns = take(encode(customers.frame, contract), split.development)
        report = explain(model.model, columns, contract, name=model.recipe)
        strongest = [each.column for each in report.importance[:3]]
        progress.record(f"goes by {', '.join(strongest)}", {"strongest": strongest[0]})
    return report
