"""Measures the final model on the rows set aside."""

from typing import Annotated, Any

from zenml import step

from churn.data import Dataset
from churn.data.split import Split
from churn.evaluation.gate_rows import GateRowsReport, evaluate_gate_rows
from churn.features.encoding import encode, encode_target, take
from churn.models.trained import TrainedModel
from churn.settings.pipelines import EvaluationSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress
from steps.recipes import candidates_from_parameters


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def evaluate_model(
    customers: Dataset,
    split: Split,
    model: TrainedModel,
    recipes: dict[str, Any],
    baseline: str,
    evaluation: dict[str, Any],
) -> Annotated[GateRowsReport, Artifact.EVALUATION]:
    """Scores the gate rows once, beside the plain baseline fitted on the same development rows."""
    with step_progress("evaluate_model") as progress:
        settings = EvaluationSettings.model_validate(evaluation)
        columns = encode(customers.frame, customers.contract)
        gate = take(columns, split.gate)
        target = encode_target(customers.frame, customers.contract)
        reference = None
        if model.recipe != baseline:
            candidate = candidates_from_parameters(recipes, customers.contract)[baseline]
            fitted = candidate.fit(take(columns, split.development), target[split.development])
            reference = (baseline, fitted.logit(gate))
        report = evaluate_gate_rows(
            model.recipe,
            model.model.logit(gate),
            target[split.gate],
            bootstrap_samples=settings.bootstrap_samples,
            seed=settings.seed,
            baseline=reference,
            columns=gate,
        )
        progress.record(
            f"ROC-AUC {report.metrics.roc_auc:.4f} ({report.intervals['roc_auc'].span()})",
            report.metrics.figures,
        )
    return report
