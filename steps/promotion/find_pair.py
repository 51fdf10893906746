"""Finds the challenger and the champion on the Model Control Plane."""

from typing import Annotated

from zenml import step
from zenml.enums import ModelStages

from churn.errors import InputError
from churn.ledger.changes import ChangeLedger
from churn.promotion.promotion_outcome import PromotionPair
from churn.scoring.bundle import address, store_of_model
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from registry.mlflow_alias import mlflow_client
from registry.production import Production
from registry.versions import find_version
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def find_pair(
    model_name: str, challenger: str, folders: dict[str, str]
) -> Annotated[PromotionPair, Artifact.PAIR]:
    """Returns the requested or the staged version, and the one in production.

    A change that was broken off is finished or undone before.

    Where nothing is staged, the version in production stands for both: there is nothing to promote.

    Raises:
        InputError: there is no such version.
    """
    with step_progress("find_pair") as progress:
        store = store_of_model(address(folders["bundles"]), model_name)
        with ChangeLedger(folders["ledger"]) as ledger:
            production = Production(model_name, store=store, ledger=ledger, mlflow=mlflow_client())
            with production.settled() as settled:
                champion = find_version(model_name, ModelStages.PRODUCTION)
        version = find_version(model_name, challenger or ModelStages.STAGING)
        if version is None and not challenger:
            version = champion
        if version is None:
            raise InputError(_nothing_to_promote(model_name, challenger))
        pair = PromotionPair(
            model=model_name,
            challenger=str(version.name),
            champion=str(champion.name) if champion else None,
            profile=version.run_metadata.get("profile"),
        )
        left = f"{settled.sentence}; " if settled else ""
        progress.record(
            f"{left}{pair.sentence}",
            {"challenger": pair.challenger, "champion": pair.champion or "none"},
        )
    return pair


def _nothing_to_promote(model: str, challenger: str) -> str:
    newest = None if challenger else find_version(model, ModelStages.LATEST)
    if newest is not None:
        return (
            f"Training has staged no version of '{model}': it held or rejected version {newest.name}, "
            "and why is in its report. Train on other data or settings; a person may have it judged "
            f"with --set challenger={newest.name} and --set override.person, .version and .reason."
        )
    what = f"version '{challenger}'" if challenger else "staged version"
    return (
        f"Model '{model}' has no {what} to promote. Train one with run.py --pipeline training, or "
        "name one with --set challenger=VERSION."
    )
