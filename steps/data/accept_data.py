"""Quality gate: stops the run if a critical check failed, else stores a snapshot of the table."""

from pathlib import Path
from typing import Annotated

from zenml import step

from churn.data import Dataset, take_snapshot
from churn.data.quality import QualityReport, require
from registry.artifacts import Artifact
from steps.caching import CODE_AWARE
from steps.progress import step_progress


@step(cache_policy=CODE_AWARE)
def accept_data(
    customers: Dataset, quality: QualityReport, snapshot_folder: str
) -> Annotated[str, Artifact.SNAPSHOT]:
    """Refuses a table with a failing critical check; stores a snapshot of one without.

    Returns:
        Path of the snapshot: the shipped one, or a new folder named by its content.

    Raises:
        InputError: a critical check failed; the sentence names rows and columns.
    """
    with step_progress("accept_data") as progress:
        require(quality)
        place = take_snapshot(customers, Path(snapshot_folder))
        progress.record(
            f"accepted, sha256 {customers.source.sha256[:12]}", {"snapshot": str(place)}
        )
    return str(place)
