"""Finds the challenger and the champion on the Model Control Plane."""

from typing import Annotated

from zenml import step
from zenml.enums import ModelStages

from churn.errors import InputError
from churn.promotion.promotion_outcome import PromotionPair
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from registry.versions import find_version
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def find_pair(model_name: str, challenger: str) -> Annotated[PromotionPair, Artifact.PAIR]:
    """Returns the requested or the staged version, and the one in production.

    Raises:
        InputError: there is no such version, or it is in production already.
    """
    with step_progress("find_pair") as progress:
        version = find_version(model_name, challenger or ModelStages.STAGING)
        if version is None:
            what = f"version '{challenger}'" if challenger else "staged version"
            raise InputError(
                f"Model '{model_name}' has no {what} to promote. Train one with "
                "run.py --pipeline training, or name one with --set challenger=VERSION."
            )
        champion = find_version(model_name, ModelStages.PRODUCTION)
        if champion is not None and champion.id == version.id:
            raise InputError(
                f"Version {version.name} of '{model_name}' is in production already; there is "
                "nothing to promote. Train another, or name one with --set challenger=VERSION."
            )
        pair = PromotionPair(
            model=model_name,
            challenger=str(version.name),
            champion=str(champion.name) if champion else None,
        )
        progress.record(
            pair.sentence, {"challenger": pair.challenger, "champion": pair.champion or "none"}
        )
    return pair
