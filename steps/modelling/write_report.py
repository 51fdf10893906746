"""Writes the training report."""

from datetime import UTC, datetime
from typing import Annotated, Any

from zenml import step

from churn.checks.deepchecks.deepchecks_report import ValidationReport
from churn.data import Dataset
from churn.data.quality import QualityReport
from churn.data.split import Split
from churn.evaluation.gate_rows import GateRowsReport
from churn.evaluation.protocol import ProtocolReport, protocol_figure, report_of_recipe
from churn.evaluation.selection import Selection
from churn.evaluation.slices import SlicesReport
from churn.evaluation.threshold_report import ThresholdReport
from churn.explain.explanation_report import ExplanationReport
from churn.explain.reason_stability import ReasonStability
from churn.models.recipe_catalog import left_out
from churn.promotion.decision import Decision
from churn.reports.training.training_report import DataFacts, QualityFacts, TrainingReport
from churn.tuning.searches import Searches
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress
from steps.recipes import candidates_from_parameters


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def write_report(
    customers: Dataset,
    quality: QualityReport,
    split: Split,
    selection: Selection,
    protocol: ProtocolReport,
    evaluation: GateRowsReport,
    decision: Decision,
    threshold: ThresholdReport,
    slices: SlicesReport,
    explanation: ExplanationReport,
    stability: ReasonStability,
    labels: dict[str, Any],
    validation: ValidationReport | None = None,
    nested: ProtocolReport | None = None,
    searches: Searches | None = None,
) -> Annotated[TrainingReport, Artifact.TRAINING_REPORT]:
    """Gathers the run's reports; `labels` are the model's, the recipes and the profile."""
    with step_progress("write_report") as progress:
        judged = report_of_recipe(selection.chosen, protocol, nested)
        report = TrainingReport(
            model_name=labels["model_name"],
            created=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            profile=labels["profile"],
            data=_data_facts(customers, split, labels["recipes"]),
            quality=QualityFacts.from_report(quality),
            selection=selection,
            protocol=judged,
            nested=nested if judged is protocol else protocol,
            searches=searches,
            figure=protocol_figure(judged, selection.chosen, frozen_recipe=labels["frozen_recipe"]),
            gate_rows=evaluation,
            decision=decision,
            threshold=threshold,
            slices=slices,
            explanation=explanation,
            stability=stability,
            validation=validation,
        )
        progress.record(f"{len(report.sentences)} findings")
    return report


def _data_facts(customers: Dataset, split: Split, recipes: dict[str, Any]) -> DataFacts:
    candidates = candidates_from_parameters(recipes, customers.contract)
    return DataFacts.from_dataset(customers, split, left_out=left_out(candidates))
