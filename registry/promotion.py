"""Carries out a promotion decision: stage, alias, bundle and ledger change together, or not at all."""

from typing import Literal

from zenml.enums import ModelStages
from zenml.models import ModelVersionResponse

from churn.errors import ChurnError, InputError
from churn.ledger.changes import ProductionChange
from churn.ledger.records import Ledger
from churn.promotion.decision import Decision
from churn.promotion.promotion_outcome import PromotionOutcome, PromotionPair
from churn.scoring.address import Address
from churn.scoring.bundle import bundle_folder, has_bundle, publish
from churn.settings.pipelines import PromotionPipelineSettings
from registry.mlflow_alias import mlflow_client
from registry.production import Production
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
        ChurnError: another version went into production since the pair was found.
    """
    production = Production(pair.model, store=store, ledger=ledger, mlflow=mlflow_client())
    if pair.unchanged:
        return _keep_in_production(pair, production, ledger)
    ledger.record_decision(pair.model, pair.challenger, decision, champion_version=pair.champion)
    approver = _approver(pair, settings, ledger)
    if decision.verdict != "promote":
        sentence = f"version {pair.challenger} is kept back: {decision.verdict}"
        return _outcome(pair, "kept back", sentence)
    if settings.only_judge:
        return _outcome(pair, "judged", f"version {pair.challenger} passed every gate")
    if settings.approval == "required" and approver is None:
        sentence = (
            f"version {pair.challenger} passed and waits for a person: run it again with "
            f"--set approve.person=NAME --set approve.version={pair.challenger}"
        )
        return _outcome(pair, "waiting", sentence)
    sentence = f"version {pair.challenger} is {pair.place}"
    sentence += f" instead of {pair.champion}" if pair.champion else ""
    sentence += f", approved by {approver}" if approver else ""
    override = settings.override
    person = override.person.strip()
    gates = " and ".join(f"'{gate.name}'" for gate in decision.gates if gate.overridden)
    reason = f"{person} overrides {gates}: {override.reason}" if gates else "every gate passed"
    return _put_into_production(
        pair, production, sentence, approver=approver, reason=reason, person=approver or person
    )


def _keep_in_production(
    pair: PromotionPair, production: Production, ledger: Ledger
) -> PromotionOutcome:
    """Leaves the champion where it is; publishes it anew where the store has nothing."""
    already = f"version {pair.challenger} is {pair.place} already"
    published = production.serving == pair.challenger
    if published and has_bundle(production.store, pair.challenger):
        return _outcome(pair, "unchanged", f"{already}; there is nothing new to promote")
    reason = "its bundle was missing from the store"
    sentence = f"{already}, but {reason}; it is published anew"
    approver = _recorded_approver(pair, ledger)
    return _put_into_production(
        pair, production, sentence, approver=approver, reason=reason, person=approver or ""
    )


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


def _put_into_production(
    pair: PromotionPair,
    production: Production,
    sentence: str,
    *,
    approver: str | None,
    reason: str,
    person: str,
) -> PromotionOutcome:
    version = _require_version(pair.model, pair.challenger)
    bundle = write_version_bundle(version, bundle_folder(production.store, pair.challenger))
    with production.settled():
        _require_champion(pair)
        plan = ProductionChange(
            model=pair.model,
            version=pair.challenger,
            version_before=pair.champion,
            stage_before=version.stage,
            command="promotion",
            person=person,
            reason=reason,
        )
        alias = production.change(
            version, plan, lambda: publish(production.store, pair.challenger, by=approver)
        )
    outcome = _outcome(pair, "promoted", sentence)
    return outcome.model_copy(
        update={"bundle": str(bundle), "alias": alias, "approved_by": approver}
    )


def _require_champion(pair: PromotionPair) -> None:
    """Checks that what was judged against is in production still."""
    now = find_version(pair.model, ModelStages.PRODUCTION)
    name = str(now.name) if now else None
    if name != pair.champion:
        raise ChurnError(
            f"Version {pair.challenger} of '{pair.model}' was judged against "
            f"{pair.champion or 'no champion'}, but {name or 'none'} is in production by now; "
            "nothing was promoted. Run the promotion again."
        )


def _outcome(
    pair: PromotionPair,
    status: Literal["promoted", "unchanged", "waiting", "judged", "kept back"],
    sentence: str,
) -> PromotionOutcome:
    return PromotionOutcome(
        status=status,
        model=pair.model,
        version=pair.challenger,
        before=pair.champion,
        profile=pair.profile,
        sentence=sentence,
    )


def _require_version(model: str, name: str) -> ModelVersionResponse:
    version = find_version(model, name)
    if version is None:
        raise InputError(f"Version {name} of '{model}' is gone; nothing was promoted.")
    return version
