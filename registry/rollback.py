"""Restores the version that was in production before the current one."""

from churn.errors import InputError
from churn.ledger.records import Ledger
from churn.promotion.decision import Decision, Gate, decide
from churn.promotion.promotion_outcome import PromotionOutcome
from churn.scoring.address import Address
from churn.scoring.bundle import current, roll_back
from churn.settings.pipelines import RollbackSettings
from registry.promotion import move_production
from registry.versions import find_version


def restore_previous_version(
    settings: RollbackSettings, *, store: Address, ledger: Ledger
) -> PromotionOutcome:
    """Verifies the previous bundle, then changes stage, alias and bundle pointer; a dry run does not.

    Raises:
        BundleError: there is no previous version, or its bundle is not fit to be served.
        InputError: the previous version is gone from the Model Control Plane.
    """
    model = settings.model.name
    now, target = current(store).version, roll_back(store, dry_run=True)
    version = find_version(model, target.version)
    if version is None:
        raise InputError(
            f"Version {target.version} of '{model}', which was in production before "
            f"{now}, is gone from the Model Control Plane; {now} stays."
        )
    if settings.dry_run:
        return PromotionOutcome(
            status="dry run",
            model=model,
            version=target.version,
            before=now,
            sentence=f"version {target.version} would be put back instead of {now}",
        )
    alias = move_production(version, find_version(model, now), lambda: roll_back(store))
    sentence = f"version {target.version} is back in production instead of {now}"
    decision = _rollback_decision(target.version, now, settings.reason, sentence)
    ledger.record_decision(model, target.version, decision, champion_version=now)
    return PromotionOutcome(
        status="restored",
        model=model,
        version=target.version,
        before=now,
        bundle=str(target.folder(store)),
        alias=alias,
        sentence=sentence,
    )


def _rollback_decision(version: str, before: str, reason: str, sentence: str) -> Decision:
    gate = Gate(
        name="previous bundle is fit to be served",
        figure=1,
        threshold=1,
        verdict="pass",
        sentence=f"Its checksums hold and its golden rows replay; {sentence}.",
    )
    return decide(
        [gate],
        challenger=f"version {version}",
        champion=f"version {before}",
        basis=f"Rolled back: {reason or 'no reason given'}.",
    )
