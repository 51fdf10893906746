"""The manifest of an output, written last: an output that has one is complete, or refused."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime

from churn.batch.job import BatchJob
from churn.batch.part import StoredFile
from churn.frozen_model import FrozenModel

MANIFEST = "manifest.json"
REJECTED_FILE = "rejected.parquet"


class BatchManifest(FrozenModel):
    """What a batch run has done.

    Attributes:
        status: complete; or refused, with nothing but the rejected rows beside it.
        reason: why it was refused; empty where it was not.
        job_id: first digits of every prediction's id in the ledger.
        job: what the files depend on; all further fields but the counts are the run's.
        rows: rows of the input: those that were accepted and those that were rejected.
        repeated: how many of the rejected have the id of an earlier row.
        positive: how many reach the threshold.
        histogram: scores in equal bins of the probability.
        parts: the files with the scores, in the order of the input.
        rejected_rows: the file with the rows that were set aside.
        not_read: columns of the input that a score does not depend on, such as the target.
        ledger_rows: predictions of the job in the ledger.
        parts_found: parts that an earlier run had committed.
        engine: what scored.
        seconds: of the run.
        finished_at: when, in UTC.
        run_by: user and, where there is one, run of the pipeline.
    """

    format_version: Literal[1] = 1
    status: Literal["complete", "refused"]
    reason: str = ""
    job_id: str
    job: BatchJob
    rows: int
    accepted: int
    rejected: int
    repeated: int
    positive: int
    histogram: tuple[int, ...]
    parts: tuple[StoredFile, ...]
    rejected_rows: StoredFile
    not_read: tuple[str, ...]
    ledger_rows: int
    parts_found: int
    engine: str
    seconds: float
    finished_at: AwareDatetime
    run_by: str

    @property
    def scored_at(self) -> datetime:
        """The job's time."""
        return self.job.scored_at
