"""What a batch run says of itself: its counts, and the change since the last run."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from churn.batch.job import BatchJob
from churn.batch.manifest import BatchManifest
from churn.batch.part import StoredFile
from churn.batch.run_batch import BatchResult
from churn.reports.batch_page import render_batch_page
from churn.reports.batch_report import batch_report
from churn.reports.charts.batch_charts import scores_chart

DIGEST = "ab" * 32


def result(positive=30, *, day=1, rejected=2, unchanged=False):
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


def test_the_first_run_has_nothing_beside_it():
    report = batch_report(result())

    assert report.finding == "30.0% of the customers need action"
    assert report.sentence == "100 of 102 customers scored, 2 rows set aside; 30 need action"
    assert report.lines["set aside"] == "scores/rejected.parquet"
    assert report.lines["not read"].startswith("left: ")


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (30, "as in the last run"),
        (29, "1.0 point more than in the last run"),
        (35, "5.0 points less than in the last run"),
    ],
)
def test_a_run_is_compared_with_the_last_one(before, words):
    last = batch_report(result(before))

    report = batch_report(result(30, day=2), last=last)

    assert report.finding.endswith(words)
    assert scores_chart(report).get_suptitle().replace("\n", " ") == report.finding
    assert words in render_batch_page(report)


def test_an_output_that_is_looked_at_again_is_not_compared_with_itself():
    first = batch_report(result(25))
    second = batch_report(result(30, day=2), last=first)

    again = batch_report(result(30, day=2, unchanged=True), last=second)

    assert again.last == first.distribution
    assert again.status == "unchanged"
    assert "is not written again" in again.sentence


def test_one_row_set_aside_is_one_row():
    assert "1 row set aside" in batch_report(result(rejected=1)).sentence


def test_scores_in_a_table_have_their_records_elsewhere():
    lines = batch_report(result(), "postgresql://host/db").lines

    assert lines["output"] == "postgresql://host/db"
    assert lines["records"] == "scores"
    assert lines["set aside"] == "scores/rejected.parquet"
