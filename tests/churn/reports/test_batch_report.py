"""What a batch run says of itself: its counts, and the change since the last run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client import generate_latest

from churn.reports.batch_metrics import published_batch
from churn.reports.batch_page import render_batch_page
from churn.reports.batch_report import batch_report
from churn.reports.charts.batch_charts import scores_chart
from churn.settings.prometheus import PrometheusSettings
from tests.servers.batch_run import batch_result as result
from tests.servers.batch_run import batch_run


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


@pytest.mark.parametrize(
    ("found", "words"), [(1, "; 1 part was there already"), (2, "; 2 parts were there already")]
)
def test_parts_of_an_earlier_run_are_counted(found, words):
    whole = result()
    resumed = whole.manifest.model_copy(update={"parts_found": found})

    assert words in batch_report(replace(whole, manifest=resumed)).sentence


@pytest.mark.parametrize(
    ("rows", "words"), [(100, "100 predictions, whose ids begin with"), (0, ">nothing<")]
)
def test_the_page_says_what_the_ledger_has(rows, words):
    whole = result()
    kept = whole.manifest.model_copy(update={"ledger_rows": rows})

    assert words in render_batch_page(batch_report(replace(whole, manifest=kept)))


def test_scores_in_a_table_have_their_records_elsewhere():
    lines = batch_report(result(), "postgresql://host/db").lines

    assert lines["output"] == "postgresql://host/db"
    assert lines["records"] == "scores"
    assert lines["set aside"] == "scores/rejected.parquet"


def test_its_figures_go_to_prometheus(tmp_path):
    figures = published_batch(batch_run())

    said = figures.publish(PrometheusSettings(), str(tmp_path / "metrics"))

    written = (tmp_path / "metrics" / "churn-batch-gym-churn.prom").read_text()
    assert "written to " in said
    assert written == generate_latest(figures.registry).decode()
    assert 'churn_batch_accepted{model="gym-churn"} 100.0' in written
    assert 'churn_batch_positive_share{model="gym-churn"} 0.3' in written
    assert 'churn_batch_info{model="gym-churn",version="7"} 1.0' in written
    assert 'churn_batch_scores{below="0.50",model="gym-churn"} 70.0' in written


def test_a_folder_that_cannot_be_written_costs_the_run_nothing(tmp_path):
    (tmp_path / "file").write_text("no folder")

    said = published_batch(batch_run()).publish(
        PrometheusSettings(folder=str(tmp_path / "file" / "metrics")), ""
    )

    assert said.startswith("not written: ")
