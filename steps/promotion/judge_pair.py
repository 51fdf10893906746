"""Judges the challenger against the champion by every gate."""

from typing import Annotated, Any

from zenml import step

from churn.errors import InputError
from churn.ledger.records import Ledger
from churn.promotion.decision import Decision, Gate, decide, hold_on_error
from churn.promotion.promotion_outcome import PromotionPair
from churn.settings.pipelines import PromotionPipelineSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from registry.judgement import judge_versions
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def judge_pair(
    pair: PromotionPair, settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[Decision, Artifact.DECISION]:
    """Scores both on the same raw gate rows; an exception holds the challenger.

    Raises:
        InputError: an override was given for another version than the challenger.
    """
    with step_progress("judge_pair") as progress:
        promotion = PromotionPipelineSettings.from_mapping(settings)
        overridden = promotion.override.version
        if overridden not in ("", pair.challenger):
            raise InputError(
                f"override.version is {overridden}, but the challenger is version "
                f"{pair.challenger}; override that one, or name it with --set challenger=VERSION."
            )
        if pair.unchanged:
            decision = _in_production(pair)
        else:
            decision = hold_on_error(
                lambda: _judge(pair, promotion, folders["ledger"]),
                challenger=f"version {pair.challenger}",
                champion=f"version {pair.champion}" if pair.champion else None,
            )
        progress.record(f"{decision.verdict}: {decision.passed}", {"verdict": decision.verdict})
    return decision


def _judge(pair: PromotionPair, promotion: PromotionPipelineSettings, address: str) -> Decision:
    with Ledger(address) as ledger:
        newest_first = ledger.decisions(pair.model)
    return judge_versions(pair, promotion, newest_first[::-1])


def _in_production(pair: PromotionPair) -> Decision:
    gate = Gate(
        name="in production already",
        figure=1,
        threshold=1,
        verdict="pass",
        sentence=f"Version {pair.challenger} is {pair.place} already.",
    )
    basis = f"It is {pair.place} already, so nothing was compared."
    return decide([gate], challenger=f"version {pair.challenger}", basis=basis)
