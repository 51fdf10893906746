"""Puts everything a run found into one report that people read."""

from datetime import UTC, datetime
from typing import Annotated

from zenml import step

from churn.checks.deepchecks.deepchecks_report import ValidationReport
from churn.data import Dataset
from churn.data.quality import QualityReport
from churn.data.split import Split
from churn.evaluation.gate_rows import GateRowsReport
from churn.evaluation.protocol import ProtocolReport, protocol_figure, report_of_recipe
from churn.evaluation.selection import Selection
from churn.evaluation.slices import SlicesReport
from churn.evaluation.threshold import ThresholdReport
from churn.explain.explanation_report import ExplanationReport
from churn.explain.reason_stability import ReasonStability
from churn.promotion import Decision
from churn.reports.training.training_report import DataFacts, QualityFacts, TrainingReport
from churn.tuning.searches import Searches
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress


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
    model_name: str,
    profile: str,
    frozen_recipe: str,
    validation: ValidationReport | None = None,
    nested: ProtocolReport | None = None,
    searches: Searches | None = None,
) -> Annotated[TrainingReport, Artifact.TRAINING_REPORT]:
    """Gathers the run's own figures; the page is drawn from them when the artifact is stored."""
    with step_progress("write_report") as progress:
        contract = customers.contract
        judged = report_of_recipe(selection.chosen, protocol, nested)
        beside = nested if judged is protocol else protocol
        report = TrainingReport(
            model_name=model_name,
            created=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            profile=profile,
            data=DataFacts(
                title=contract.title,
                location=customers.source.location,
                sha256=customers.source.sha256,
                rows=customers.rows,
                columns=len(contract.columns),
                churn_rate=customers.target_rate,
                development_rows=len(split.development),
                gate_rows=len(split.gate),
            ),
            quality=QualityFacts(
                verdict=quality.verdict,
                passed=quality.held,
                total=len(quality.checks),
                findings=tuple(each.sentence for each in (*quality.failures, *quality.warnings)),
            ),
            selection=selection,
            protocol=judged,
            nested=beside,
            searches=searches,
            figure=protocol_figure(judged, selection.chosen, frozen_recipe=frozen_recipe),
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
