"""Judges the challenger against the champion by every gate."""

from typing import Annotated, Any

from zenml import step

from churn.promotion.decision import Decision, hold_on_error
from churn.promotion.promotion_outcome import PromotionPair
from churn.settings.pipelines import PromotionPipelineSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from registry.judgement import judge_versions
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def judge_pair(
    pair: PromotionPair, settings: dict[str, Any]
) -> Annotated[Decision, Artifact.DECISION]:
    """Scores both on the same raw gate rows; an exception holds the challenger."""
    with step_progress("judge_pair") as progress:
        promotion = PromotionPipelineSettings.from_mapping(settings)
        decision = hold_on_error(
            lambda: judge_versions(pair, promotion),
            challenger=f"version {pair.challenger}",
            champion=f"version {pair.champion}" if pair.champion else None,
        )
        progress.record(f"{decision.verdict}: {decision.passed}", {"verdict": decision.verdict})
    return decision
