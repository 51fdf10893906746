"""Carries out a promotion decision: stage, bundle, alias and ledger change together, or not at all."""

from collections.abc import Callable
from typing import Literal

from zenml.enums import ModelStages
from zenml.models import ModelVersionResponse

from churn.errors import BundleError, InputError
from churn.ledger.records import Ledger
from churn.promotion.decision import Decision
from churn.promotion.promotion_outcome import PromotionOutcome, PromotionPair
from churn.scoring.address import Address
from churn.scoring.bundle import bundle_folder, current, publish
from churn.settings.pipelines import PromotionPipelineSettings
from registry.mlflow_alias import set_champion_alias
from registry.versions import find_version, write_version_bundle


def carry_out_decision(
    pair: PromotionPair,
    decision: Decision,
    settings: PromotionPipelineSettings,
    *,
    store: Address,
    ledger: Ledger,
) -> PromotionOutcome:
    """Records a decision and promotes the challenger if verdict and approval allow it.

    Raises:
        InputError: an approval was given for another version than the challenger, or a version is
            gone from the Model Control Plane.
    """
    if pair.unchanged:
        return _keep_in_production(pair, store, ledger)
    ledger.record_decision(pair.model, pair.challenger, decision, champion_version=pair.champion)
    approver = _approver(pair, settings, ledger)
    if decision.verdict != "promote":
        sentence = f"version {pair.challenger} is kept back: {decision.verdict}"
        return _outcome(pair, "kept back", sentence)
    if settings.approval == "required" and approver is None:
        sentence = (
            f"version {pair.challenger} passed and waits for a person: run it again with "
            f"--set approve.person=NAME --set approve.version={pair.challenger}"
        )
        return _outcome(pair, "waiting", sentence)
    return _promote(pair, store, approver)


def _keep_in_production(pair: PromotionPair, store: Address, ledger: Ledger) -> PromotionOutcome:
    """Leaves the champion where it is; publishes it anew where the store serves something else."""
    already = f"version {pair.challenger} is in production already"
    try:
        served = current(store).version
    except BundleError:
        served = None
    if served == pair.challenger:
        return _outcome(pair, "unchanged", f"{already}; there is nothing new to promote")
    version = _require_version(pair.model, pair.challenger)
    bundle = write_version_bundle(version, bundle_folder(store, pair.challenger))
    publish(store, pair.challenger, by=_recorded_approver(pair, ledger))
    found = f"the store served {served}" if served else "its bundle was missing from the store"
    outcome = _outcome(pair, "promoted", f"{already}, but {found}; it is published anew")
    return outcome.model_copy(update={"bundle": str(bundle)})


def _approver(
    pair: PromotionPair, settings: PromotionPipelineSettings, ledger: Ledger
) -> str | None:
    """Records the approval that this run carries; returns who approved the challenger."""
    approval = settings.approve
    if approval.person:
        if approval.version != pair.challenger:
            raise InputError(
                f"approve.version is {approval.version}, but the challenger is version "
                f"{pair.challenger}; approve that one, or name it with --set challenger=VERSION."
            )
        ledger.record_approval(pair.model, pair.challenger, approval.person, approval.note)
    return _recorded_approver(pair, ledger)


def _recorded_approver(pair: PromotionPair, ledger: Ledger) -> str | None:
    recorded = ledger.approval(pair.model, pair.challenger)
    return recorded.person if recorded else None


def _promote(pair: PromotionPair, store: Address, approver: str | None) -> PromotionOutcome:
    version = _require_version(pair.model, pair.challenger)
    champion = _require_version(pair.model, pair.champion) if pair.champion else None
    bundle = write_version_bundle(version, bundle_folder(store, pair.challenger))
    alias = move_production(version, champion, lambda: publish(store, pair.challenger, by=approver))
    sentence = f"version {pair.challenger} is in production"
    sentence += f" instead of {pair.champion}" if pair.champion else ""
    sentence += f", approved by {approver}" if approver else ""
    outcome = _outcome(pair, "promoted", sentence)
    return outcome.model_copy(
        update={"bundle": str(bundle), "alias": alias, "approved_by": approver}
    )


def _outcome(
    pair: PromotionPair,
    status: Literal["promoted", "unchanged", "waiting", "kept back"],
    sentence: str,
) -> PromotionOutcome:
    return PromotionOutcome(
        status=status,
        model=pair.model,
        version=pair.challenger,
        before=pair.champion,
        sentence=sentence,
    )


def move_production(
    version: ModelVersionResponse,
    champion: ModelVersionResponse | None,
    change_bundle: Callable[[], object],
) -> str | None:
    """Changes stage, alias and bundle pointer in that order; after an error, changes them back."""
    before = version.stage
    try:
        version.set_stage(ModelStages.PRODUCTION, force=True)
        alias = set_champion_alias(version)
        change_bundle()
    except BaseException:
        if champion is not None:
            champion.set_stage(ModelStages.PRODUCTION, force=True)
            set_champion_alias(champion)
        version.set_stage(before or ModelStages.NONE, force=True)
        raise
    return alias


def _require_version(model: str, name: str) -> ModelVersionResponse:
    version = find_version(model, name)
    if version is None:
        raise InputError(f"Version {name} of '{model}' is gone; nothing was promoted.")
    return version
