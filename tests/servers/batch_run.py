"""A batch run's report, as a run would have made it."""

from __future__ import annotations

from datetime import UTC, datetime

from churn.batch.job import BatchJob
from churn.batch.manifest import BatchManifest
from churn.batch.part import StoredFile
from churn.batch.run_batch import BatchResult
from churn.reports.batch_report import BatchReport, batch_report

DIGEST = "ab" * 32


def batch_result(
    positive: int = 30, *, day: int = 1, rejected: int = 2, unchanged: bool = False
) -> BatchResult:
    """A hundred customers, and some that were set aside."""
    job = BatchJob(
        input="customers.csv", input_digest=DIGEST, model="gym-churn", version="7", bundle=DIGEST,
        contract=DIGEST, scored_at=datetime(2026, 11, day, tzinfo=UTC), explain=0,
        duplicates="set_aside", format="parquet", rows_a_part=1000, in_ledger=True,
        role="production",
    )  # fmt: skip
    manifest = BatchManifest(
        status="complete", job_id=job.id, job=job, rows=100 + rejected, accepted=100,
        rejected=rejected, repeated=1, positive=positive, histogram=(100 - positive, positive),
        parts=(), rejected_rows=StoredFile(name="rejected.parquet", sha256=DIGEST, rows=rejected),
        not_read=("left",), ledger_rows=100, parts_found=0, engine="local", seconds=0.5,
        finished_at=datetime(2026, 11, day, tzinfo=UTC), run_by="somebody",
    )  # fmt: skip
    return BatchResult(manifest, unchanged=unchanged, threshold=0.3, records="scores")


def batch_run() -> BatchReport:
    """The first run of a model."""
    return batch_report(batch_result())
