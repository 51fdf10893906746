"""Builds an old version of the features again, bit for bit."""

from functools import partial
from typing import Annotated, Any

from zenml import step

from churn.contract import load_contract
from churn.feature_store.build import rebuild_features as rebuild
from churn.feature_store.features_result import FeaturesResult
from churn.feature_store.offline_store import OfflineStore
from churn.feature_store.snapshots import read_snapshot
from churn.root import ROOT
from churn.scoring.address import address
from churn.settings.features import FeaturesSettings
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def rebuild_features(
    settings: dict[str, Any], folders: dict[str, str]
) -> Annotated[FeaturesResult, Artifact.FEATURES]:
    """Builds the newest version of the day `as_of`, or before it, from the table that it was built from.

    Raises:
        InputError: there is no such version, it is of another feature set, or its table is gone.
        ChurnError: other bytes came out.
    """
    with step_progress("rebuild_features") as progress:
        options = FeaturesSettings.from_mapping(settings)
        store = OfflineStore(address(folders["features"]))
        contract = load_contract(ROOT / options.data.contract)
        reader = partial(read_snapshot, store, root=ROOT)
        rebuilt = rebuild(contract.name, options.as_of, store, reader)
        progress.record(rebuilt.sentence.rstrip("."), {"status": rebuilt.status, **rebuilt.figures})
    return rebuilt
