"""Evaluates the gates of a trained model."""

from typing import Annotated, Any

from zenml import step

from churn.evaluation.gate_rows import GateRowsReport
from churn.evaluation.plan import Floors
from churn.evaluation.protocol import ProtocolReport, report_of_recipe
from churn.promotion.decision import Decision
from churn.promotion.floor_gates import judge_first_model
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress


@step(cache_policy=CODE_AWARE, output_materializers=ReportMaterializer)
def decide_promotion(
    evaluation: GateRowsReport,
    protocol: ProtocolReport,
    floors: dict[str, Any],
    nested: ProtocolReport | None = None,
) -> Annotated[Decision, Artifact.DECISION]:
    """Evaluates every gate; a verdict other than `promote` keeps the model from being staged."""
    with step_progress("decide_promotion") as progress:
        judged = report_of_recipe(evaluation.model, protocol, nested)
        decision = judge_first_model(
            evaluation,
            Floors.model_validate(floors),
            against_baseline=judged.result(evaluation.model).against_baseline,
        )
        progress.record(f"{decision.status}: {decision.passed}", {"verdict": decision.verdict})
    return decision
