"""Restores the version that was in production before the current one."""

from typing import Annotated, Any

from zenml import step

from churn.ledger.records import Ledger
from churn.promotion.promotion_outcome import PromotionOutcome
from churn.scoring.bundle import address, store_of_model
from churn.settings.pipelines import RollbackSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from registry.rollback import restore_previous_version
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def restore_champion(
    settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[PromotionOutcome, Artifact.OUTCOME]:
    """Verifies the previous bundle, then changes stage, alias and pointer; a dry run changes nothing.

    Raises:
        BundleError: there is no previous version, or its bundle is not fit to be served.
        InputError: the previous version is gone from the Model Control Plane.
    """
    rollback = RollbackSettings.from_mapping(settings)
    with step_progress("restore_champion") as progress, Ledger(folders["ledger"]) as ledger:
        store = store_of_model(address(folders["bundles"]), rollback.model.name)
        outcome = restore_previous_version(rollback, store=store, ledger=ledger)
        progress.record(outcome.sentence, {"status": outcome.status, "version": outcome.version})
    return outcome
