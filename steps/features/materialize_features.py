"""Writes the features' fields to the online store."""

from pathlib import Path
from typing import Annotated

from zenml import step

from churn.contract import DataContract
from churn.feature_store.features_result import FeaturesResult
from churn.feature_store.materialize import materialize
from churn.feature_store.offline_store import OfflineStore
from churn.feature_store.online.address import open_online_store
from churn.scoring.address import address
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def materialize_features(
    built: FeaturesResult, online: str, folders: dict[str, str]
) -> Annotated[FeaturesResult, Artifact.FEATURES]:
    """Writes a version to the online store at the address `online`, where it is not there yet.

    Without an address nothing is written, and the finding says so.

    Raises:
        ChurnError: another process of this machine is writing.
        InputError: one of the stores cannot be used.
    """
    with step_progress("materialize_features") as progress:
        if not online:
            progress.record("no online store is named, so none was written")
            return built
        contract = DataContract.model_validate(built.provenance.contract.content)
        with open_online_store(contract, online) as store:
            written = materialize(
                built.provenance,
                OfflineStore(address(folders["features"])),
                store,
                locks=Path(folders["locks"]),
            )
        done = built.model_copy(update={"online": written})
        progress.record(written.sentence, done.figures)
    return done
