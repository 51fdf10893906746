"""What the final model goes by, and how far its reasons depend on whom it was fitted on."""

from typing import Annotated, Any

from zenml import step

from churn.dataset import Dataset
from churn.explain.overview import explain
from churn.explain.plan import ExplanationSettings
from churn.explain.report import ExplanationReport
from churn.explain.stability import ReasonStability, reason_stability
from churn.features.encoding import encode, encode_target, take
from churn.models.trained import TrainedModel
from churn.split import Split
from materializers.report import ReportMaterializer
from steps.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.modelling.recipes import candidates_of
from steps.progress import stage


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def explain_model(
    customers: Dataset,
    split: Split,
    model: TrainedModel,
    recipes: dict[str, Any],
    explanation: dict[str, Any],
) -> tuple[
    Annotated[ExplanationReport, Artifact.EXPLANATION],
    Annotated[ReasonStability, Artifact.STABILITY],
]:
    """Explains on the development rows; the reasons' stability costs one refit a sample."""
    with stage("explain_model") as found:
        contract = customers.contract
        columns = take(encode(customers.frame, contract), split.development)
        target = encode_target(customers.frame, contract)[split.development]
        report = explain(model.model, columns, contract, name=model.recipe)
        stability = reason_stability(
            candidates_of(recipes, contract)[model.recipe],
            model.model,
            columns,
            target,
            contract,
            ExplanationSettings.model_validate(explanation),
        )
        found(
            f"{report.importance[0].column} weighs most; {stability.first_same:.0%} keep their reason",
            {"strongest": report.importance[0].column, "first_same": stability.first_same},
        )
    return report, stability
