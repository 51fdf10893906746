"""Sets the gate rows aside before anything is fitted."""

from typing import Annotated

from zenml import step

from churn.data import Dataset
from churn.data.split import Split, split_basis
from churn.data.split import split_rows as split
from materializers.split_materializer import SplitMaterializer
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress


@step(cache_policy=CODE_AWARE, output_materializers=SplitMaterializer)
def split_rows(
    customers: Dataset, gate_fraction: float, seed: int
) -> Annotated[Split, Artifact.SPLIT]:
    """Splits development rows from gate rows by customer, as the data contract allows."""
    with step_progress("split_rows") as progress:
        rows = split(customers.frame, customers.contract, gate_fraction=gate_fraction, seed=seed)
        progress.record(
            f"{len(rows.development):,} development rows, {len(rows.gate):,} gate rows set aside",
            {
                "development_rows": len(rows.development),
                "gate_rows": len(rows.gate),
                "basis": split_basis(customers.frame, customers.contract),
            },
        )
    return rows
