"""A batch's scored rows, kept for monitoring: read once more, after the scores are complete."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from churn.batch.manifest import BatchManifest
from churn.batch.output_folder import OutputFolder
from churn.batch.read_chunk import ChunkReader
from churn.contract import DataContract
from churn.data.sources import TableSource
from churn.kept_inputs.day_files import file_name, inputs_table, keep, remove_before


def keep_batch_inputs(
    source: TableSource,
    manifest: BatchManifest,
    contract: DataContract,
    folder: OutputFolder,
    *,
    key: bytes,
    days: int,
) -> int:
    """Keeps the rows that the contract allows, and deletes what is older than `days`.

    A run that was killed keeps the same files again.

    Args:
        source: the table that was scored.
        manifest: of the scores.
        contract: that the version reads by.
        folder: of the model's inputs.
        key: of the pseudonyms.
        days: how long inputs are kept.

    Returns:
        How many rows there are now of this batch.

    Raises:
        InputError: the table is gone, or is another by now.
    """
    reader, kept = ChunkReader(contract), 0
    at = manifest.job.scored_at.astimezone(UTC)
    oldest = (datetime.now(UTC) - timedelta(days)).date()
    for chunk in source.chunks(manifest.job.rows_a_part) if at.date() >= oldest else ():
        read = reader.read_every_row(chunk.table)
        columns = {name: values[read.allowed] for name, values in read.columns.items()}
        ids = read.customers.to_numpy(zero_copy_only=False)[read.allowed]
        name = file_name(at.date(), f"{manifest.job_id}-{chunk.number:05d}")
        keep(folder, name, inputs_table(columns, ids.tolist(), contract, key))
        kept += int(np.count_nonzero(read.allowed))
    remove_before(folder, oldest)
    return kept
