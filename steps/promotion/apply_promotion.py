"""Carries out a promotion decision."""

from typing import Annotated, Any

from zenml import step

from churn.alert import Level
from churn.ledger.records import Ledger
from churn.promotion.decision import Decision
from churn.promotion.promotion_outcome import PromotionOutcome, PromotionPair
from churn.scoring.bundle import address, store_of_model
from churn.settings.pipelines import PromotionPipelineSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from registry.promotion import carry_out_decision
from steps.alerting import send_alert
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def apply_promotion(
    pair: PromotionPair, decision: Decision, settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[PromotionOutcome, Artifact.OUTCOME]:
    """Records the decision, and promotes the challenger if verdict and approval allow it.

    The bundle is written and verified first; then the stage, the alias and the pointer that
    services follow change in that order, and whatever fails puts back what changed before it.

    Raises:
        InputError: an approval was given for another version than the challenger.
    """
    promotion = PromotionPipelineSettings.from_mapping(settings)
    with step_progress("apply_promotion") as progress, Ledger(folders["ledger"]) as ledger:
        store = store_of_model(address(folders["bundles"]), pair.model)
        outcome = carry_out_decision(pair, decision, promotion, store=store, ledger=ledger)
        progress.record(outcome.sentence, {"status": outcome.status, "version": outcome.version})
    if outcome.status in ("unchanged", "judged"):
        return outcome
    level: Level = "info" if outcome.status == "promoted" else "warning"
    status = decision.verdict if outcome.status == "kept back" else outcome.status
    runbook = "docs/runbooks.md#promotion-held" if level == "warning" else None
    send_alert(f"{outcome.model}: {status}", f"{outcome.sentence}.", level, runbook=runbook)
    return outcome
