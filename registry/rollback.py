"""Restores the version that was in production before the current one."""

from zenml.models import ModelVersionResponse

from churn.errors import InputError
from churn.ledger.changes import ProductionChange
from churn.ledger.records import Ledger
from churn.promotion.decision import Decision, Gate, decide
from churn.promotion.promotion_outcome import PromotionOutcome
from churn.scoring.address import Address
from churn.scoring.bundle import bundle_folder, current, roll_back
from churn.settings.pipelines import RollbackSettings
from registry.agreement import Settlement
from registry.mlflow_alias import mlflow_client
from registry.production import Production
from registry.versions import find_version


def restore_previous_version(
    settings: RollbackSettings, *, store: Address, ledger: Ledger
) -> PromotionOutcome:
    """Verifies the previous bundle, then changes stage, alias and bundle pointer; a dry run does not.

    A rollback that was broken off is completed instead of going back one version further.

    Raises:
        BundleError: there is no previous version, or its bundle is not fit to be served.
        InputError: the previous version is gone from the Model Control Plane, or the ledger cannot
            be written to.
        ChurnError: everything was restored, but not everything recorded.
    """
    production = Production(settings.model.name, store=store, ledger=ledger, mlflow=mlflow_client())
    if settings.dry_run:
        found = production.compare()
        return _planned(settings, store, found)
    with production.settled() as found:
        if found is not None and found.finishes_rollback:
            return _completed(production, found)
        return _restore(settings, production, ledger)


def _planned(
    settings: RollbackSettings, store: Address, found: Settlement | None
) -> PromotionOutcome:
    model, now = settings.model.name, current(store).version
    if found is not None and found.finishes_rollback:
        sentence = f"version {now} is back in production already; what is left would be completed"
        return PromotionOutcome(
            status="dry run", model=model, version=now, before=None, sentence=sentence
        )
    target = roll_back(store, dry_run=True).version
    _require_registered(model, target, now)
    return PromotionOutcome(
        status="dry run",
        model=model,
        version=target,
        before=now,
        sentence=f"version {target} would be put back instead of {now}",
    )


def _completed(production: Production, found: Settlement) -> PromotionOutcome:
    assert found.closes is not None  # noqa: S101 - it is a rollback
    version = found.closes.version
    return PromotionOutcome(
        status="restored",
        model=production.model,
        version=version,
        before=found.closes.version_before,
        bundle=str(bundle_folder(production.store, version)),
        sentence=found.sentence,
    )


def _restore(
    settings: RollbackSettings, production: Production, ledger: Ledger
) -> PromotionOutcome:
    model, store = production.model, production.store
    now, target = current(store).version, roll_back(store, dry_run=True)
    version = _require_registered(model, target.version, now)
    reason = settings.reason.strip() or "no reason given"
    decision = _rollback_decision(target.version, now, reason)
    ledger.record_decision(model, target.version, decision, champion_version=now)
    plan = ProductionChange(
        model=model,
        version=target.version,
        version_before=now,
        stage_before=version.stage,
        command="rollback",
        reason=reason,
    )
    alias = production.change(version, plan, lambda: roll_back(store))
    return PromotionOutcome(
        status="restored",
        model=model,
        version=target.version,
        before=now,
        bundle=str(target.folder(store)),
        profile=version.run_metadata.get("profile"),
        alias=alias,
        sentence=f"version {target.version} is back in production instead of {now}",
    )


def _require_registered(model: str, version: str, now: str) -> ModelVersionResponse:
    found = find_version(model, version)
    if found is None:
        raise InputError(
            f"Version {version} of '{model}', which was in production before {now}, is gone from "
            f"the Model Control Plane; {now} stays."
        )
    return found


def _rollback_decision(version: str, before: str, reason: str) -> Decision:
    gate = Gate(
        name="previous bundle is fit to be served",
        figure=1,
        threshold=1,
        verdict="pass",
        sentence=f"The checksums of version {version} hold and its golden rows replay.",
    )
    return decide(
        [gate],
        challenger=f"version {version}",
        champion=f"version {before}",
        basis=f"Rolled back: {reason}.",
    )
