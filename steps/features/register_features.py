"""Registers the features with Feast, for who asks for it."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from zenml import step

from churn.feature_store.features_result import FeaturesResult
from churn.feature_store.offline_store import OfflineStore
from churn.feature_store.store import import_feast
from churn.scoring.address import address
from churn.settings.features import FeaturesSettings
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(enable_cache=False)
def register_features(
    built: FeaturesResult, online: str, settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[str, Artifact.FEAST_REPOSITORY]:
    """Writes a Feast repository for the features and applies it.

    Returns:
        Its folder.

    Raises:
        InputError: Feast is not installed.
    """
    with step_progress("register_features") as progress:
        days = FeaturesSettings.from_mapping(settings).store.oldest_days
        made = built.provenance
        folder = import_feast().write_repository(
            OfflineStore(address(folders["features"])),
            made,
            folder=Path(folders["feast"]) / made.contract.name,
            online=online,
            oldest=timedelta(days=days) if days else None,
        )
        progress.record(f"{len(made.features)} features in {folder}", {"folder": str(folder)})
    return str(folder)
