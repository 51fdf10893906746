"""Builds a version of the features, unless the same input was built before."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from zenml import step

from churn.data import Dataset
from churn.feature_store.build import BuildContext
from churn.feature_store.build import build_features as build
from churn.feature_store.features_result import FeaturesResult
from churn.feature_store.offline_store import OfflineStore
from churn.feature_store.snapshots import keep_snapshot
from churn.scoring.address import address
from churn.settings.features import FeaturesSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from registry.code_version import git_commit
from registry.step_context import step_context
from steps.progress import step_progress


# Not cached: the store itself knows what it has, whichever machine built it.
@step(enable_cache=False, output_materializers=ReportMaterializer)
def build_features(
    customers: Dataset, snapshot: str, settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[FeaturesResult, Artifact.FEATURE_BUILD]:
    """Builds the features of an accepted table; `snapshot` is where its copy is kept.

    Raises:
        InputError: the store has a newer feature set, is damaged, or cannot be written to.
    """
    with step_progress("build_features") as progress:
        options = FeaturesSettings.from_mapping(settings)
        store = OfflineStore(address(folders["features"]))
        run = context.pipeline_run if (context := step_context()) else None
        built = build(
            customers,
            store,
            BuildContext(
                created=datetime.now(UTC).replace(microsecond=0),
                observed=_beginning(options.observed),
                snapshot=keep_snapshot(store, Path(snapshot)),
                code=git_commit(),
                stack=run.stack.name if run and run.stack else "",
                run=run.name if run else "",
            ),
        )
        progress.record(built.sentence.rstrip("."), {"status": built.status, **built.figures})
    return built


def _beginning(day: str) -> datetime | None:
    return datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None
