"""Carries out a decision: stages, bundle, alias and ledger together, or none of them."""

from pathlib import Path
from typing import Annotated, Any

from zenml import step
from zenml.enums import ModelStages
from zenml.models import ModelVersionResponse

from churn.alert import Level
from churn.errors import InputError
from churn.evaluation.model_threshold import model_threshold
from churn.ledger import Ledger
from churn.promotion import Decision
from churn.promotion.pair import Pair, PromotionOutcome
from churn.scoring.bundle import Threshold, bundle_folder, publish, write_bundle
from churn.settings.pipelines import PromotionPipelineSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from registry.mlflow_alias import set_champion_alias
from registry.versions import find_version, load_trained_version
from steps.alerting import alert
from steps.progress import step_progress

_FIGURES = ("protocol", "gate_rows")


@step(enable_cache=False, output_materializers=ReportMaterializer)
def apply_promotion(
    pair: Pair, decision: Decision, settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[PromotionOutcome, Artifact.OUTCOME]:
    """Records the decision; promotes only on that verdict and with the approval that is asked for.

    The bundle is written and verified first; then the stage, the alias and the pointer that
    services follow change in that order, and whatever fails puts back what changed before it.

    Raises:
        InputError: an approval was given for another version than the challenger.
    """
    asked = PromotionPipelineSettings.from_mapping(settings)
    with step_progress("apply_promotion") as progress, Ledger(folders["ledger"]) as ledger:
        ledger.record_decision(
            pair.model, pair.challenger, decision, champion_version=pair.champion
        )
        approver = _approver(pair, asked, ledger)
        outcome = _outcome(pair, decision, asked, approver, Path(folders["bundles"]))
        progress.record(outcome.sentence, {"status": outcome.status, "version": outcome.version})
    level: Level = "info" if outcome.status == "promoted" else "warning"
    told = decision.verdict if outcome.status == "kept back" else outcome.status
    alert(f"{outcome.model}: {told}", f"{outcome.sentence}.", level)
    return outcome


def _approver(pair: Pair, asked: PromotionPipelineSettings, ledger: Ledger) -> str | None:
    """Who approved the challenger; records the approval that this run carries."""
    if asked.approve.person:
        if asked.approve.version != pair.challenger:
            raise InputError(
                f"approve.version is {asked.approve.version}, but the challenger is version "
                f"{pair.challenger}; approve that one, or name it with --set challenger=VERSION."
            )
        ledger.record_approval(
            pair.model, pair.challenger, asked.approve.person, asked.approve.note
        )
    approval = ledger.approval(pair.model, pair.challenger)
    return approval.person if approval else None


def _outcome(
    pair: Pair,
    decision: Decision,
    asked: PromotionPipelineSettings,
    approver: str | None,
    store: Path,
) -> PromotionOutcome:
    if decision.verdict != "promote":
        return PromotionOutcome(
            status="kept back",
            model=pair.model,
            version=pair.challenger,
            before=pair.champion,
            sentence=f"version {pair.challenger} is kept back: {decision.verdict}",
        )
    if asked.approval == "required" and approver is None:
        return PromotionOutcome(
            status="waiting",
            model=pair.model,
            version=pair.challenger,
            before=pair.champion,
            sentence=(
                f"version {pair.challenger} passed and waits for a person: run it again with "
                f"--set approve.person=NAME --set approve.version={pair.challenger}"
            ),
        )
    bundle, alias = _promote(pair, store)
    return PromotionOutcome(
        status="promoted",
        model=pair.model,
        version=pair.challenger,
        before=pair.champion,
        bundle=str(bundle),
        alias=alias,
        approved_by=approver,
        sentence=f"version {pair.challenger} is in production"
        + (f" instead of {pair.champion}" if pair.champion else "")
        + (f", approved by {approver}" if approver else ""),
    )


def _promote(pair: Pair, store: Path) -> tuple[Path, str | None]:
    version = _require(pair.model, pair.challenger)
    champion = _require(pair.model, pair.champion) if pair.champion else None
    trained = load_trained_version(version)
    bundle = write_bundle(
        bundle_folder(store, pair.challenger),
        trained.model,
        trained.development_columns,
        name=pair.model,
        version=pair.challenger,
        threshold=Threshold(
            value=model_threshold(trained.threshold), basis=trained.threshold.basis
        ),
        metrics={
            name: version.run_metadata[name] for name in _FIGURES if name in version.run_metadata
        },
        model_card=trained.card,
    )
    before = version.stage
    try:
        version.set_stage(ModelStages.PRODUCTION, force=True)
        alias = set_champion_alias(
            pair.model, pair.challenger, version.run_metadata.get("tracked_run")
        )
        publish(store, pair.challenger)
    except BaseException:
        # What was good stays in place: the champion takes its stage and its alias back.
        if champion is not None:
            champion.set_stage(ModelStages.PRODUCTION, force=True)
            set_champion_alias(
                pair.model, str(champion.name), champion.run_metadata.get("tracked_run")
            )
        version.set_stage(before or ModelStages.NONE, force=True)
        raise
    return bundle, alias


def _require(model: str, name: str) -> ModelVersionResponse:
    version = find_version(model, name)
    if version is None:
        raise InputError(f"Version {name} of '{model}' is gone; nothing was promoted.")
    return version
