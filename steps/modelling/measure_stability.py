"""Measures how far the model's reasons depend on the rows it was fitted on."""

from typing import Annotated, Any

from zenml import step

from churn.data import Dataset
from churn.data.split import Split
from churn.explain.explanation_settings import ExplanationSettings
from churn.explain.reason_stability import ReasonStability, reason_stability
from churn.features.encoding import encode, encode_target, take
from churn.models.recalibrated import RecalibratedCandidate
from churn.models.trained import TrainedModel
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress
from steps.recipes import candidates_from_parameters


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def measure_stability(
    customers: Dataset,
    split: Split,
    model: TrainedModel,
    recipes: dict[str, Any],
    explanation: dict[str, Any],
) -> Annotated[ReasonStability, Artifact.STABILITY]:
    """Compares the model's reasons with those of refits on bootstrap samples; one fit a sample."""
    with step_progress("measure_stability") as progress:
        contract = customers.contract
        candidate = candidates_from_parameters(recipes, contract)[model.recipe]
        stability = reason_stability(
            RecalibratedCandidate(candidate, model.recalibration),
            model.model,
            take(encode(customers.frame, contract), split.development),
            encode_target(customers.frame, contract)[split.development],
            contract,
            ExplanationSettings.model_validate(explanation),
        )
        progress.record(
            f"{stability.first_same:.0%} keep their first reason over {stability.samples} refits",
            {"first_same": stability.first_same, "overlap": stability.overlap},
        )
    return stability
