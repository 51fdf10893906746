"""Reads the customer table and parses it by its contract."""

from pathlib import Path
from typing import Annotated

from zenml import step

from churn.contract import load_contract
from churn.data import Dataset, acquire
from churn.errors import InputError
from churn.root import ROOT
from materializers.dataset_materializer import DatasetMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress


@step(cache_policy=CODE_AWARE, output_materializers=DatasetMaterializer)
def acquire_data(
    location: str,
    contract_path: str,
    contract_digest: str,
    sha256: str | None,
    cache_folder: str,
    fingerprint: str,
) -> Annotated[Dataset, Artifact.CUSTOMERS]:
    """Acquires and parses the table that the runner has read; the parameters are a `TableInput`.

    `contract_digest` and `fingerprint` are parameters so that no cached result is used when a file
    changes under the same name.

    Raises:
        InputError: the contract differs from the one that the run was started with.
    """
    with step_progress("acquire_data") as progress:
        contract = load_contract(ROOT / contract_path)
        if contract.table_digest() != contract_digest:
            raise InputError(
                f"The contract {contract_path} says something else where this step runs than where "
                "the run was started; build the image from the same files, or start it anew."
            )
        dataset = acquire(
            location, contract, root=ROOT, sha256=sha256 or fingerprint, cache=Path(cache_folder)
        )
        progress.record(
            f"{dataset.rows:,} customers, {len(contract.features)} features, "
            f"{dataset.target_rate:.1%} left",
            {"rows": dataset.rows, "target_rate": dataset.target_rate, "sha256": fingerprint},
        )
    return dataset
