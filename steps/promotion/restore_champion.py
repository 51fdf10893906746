"""Puts back the model that was in production before the current one."""

from pathlib import Path
from typing import Annotated, Any

from zenml import step
from zenml.enums import ModelStages

from churn.errors import InputError
from churn.ledger import Ledger
from churn.promotion import Gate, decide
from churn.promotion.pair import PromotionOutcome
from churn.scoring.bundle import current, roll_back
from churn.settings.pipelines import RollbackSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from registry.mlflow_alias import set_champion_alias
from registry.versions import find_version
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def restore_champion(
    settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[PromotionOutcome, Artifact.OUTCOME]:
    """Verifies the previous bundle, then changes pointer, stage and alias; a dry run only says so.

    Raises:
        BundleError: there is nothing to go back to, or it is not fit to be served.
        InputError: the version that would be put back is gone from the Model Control Plane.
    """
    asked = RollbackSettings.from_mapping(settings)
    model, store = asked.model.name, Path(folders["bundles"])
    with step_progress("restore_champion") as progress, Ledger(folders["ledger"]) as ledger:
        now, target = current(store), roll_back(store, dry_run=True)
        version = find_version(model, target.version)
        if version is None:
            raise InputError(
                f"Version {target.version} of '{model}', which was in production before "
                f"{now.version}, is gone from the Model Control Plane; {now.version} stays."
            )
        if asked.dry_run:
            outcome = PromotionOutcome(
                status="dry run",
                model=model,
                version=target.version,
                before=now.version,
                sentence=f"version {target.version} would be put back instead of {now.version}",
            )
        else:
            alias = None
            try:
                version.set_stage(ModelStages.PRODUCTION, force=True)
                alias = set_champion_alias(
                    model, target.version, version.run_metadata.get("tracked_run")
                )
                roll_back(store)
            except BaseException:
                _take_back(model, now.version)
                raise
            sentence = f"version {target.version} is back in production instead of {now.version}"
            ledger.record_decision(
                model,
                target.version,
                decide(
                    [
                        Gate(
                            name="previous bundle is fit to be served",
                            figure=1,
                            threshold=1,
                            verdict="pass",
                            sentence=f"Its checksums hold and its golden rows replay; {sentence}.",
                        )
                    ],
                    challenger=f"version {target.version}",
                    champion=f"version {now.version}",
                    basis=f"Rolled back: {asked.reason or 'no reason given'}.",
                ),
                champion_version=now.version,
            )
            outcome = PromotionOutcome(
                status="restored",
                model=model,
                version=target.version,
                before=now.version,
                bundle=str(target.folder(store)),
                alias=alias,
                sentence=sentence,
            )
        progress.record(outcome.sentence, {"status": outcome.status, "version": outcome.version})
    return outcome


def _take_back(model: str, name: str) -> None:
    """The version that was in production a moment ago keeps its stage and its alias."""
    version = find_version(model, name)
    if version is not None:
        version.set_stage(ModelStages.PRODUCTION, force=True)
        set_champion_alias(model, name, version.run_metadata.get("tracked_run"))
