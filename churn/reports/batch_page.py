"""Page of a batch run: its counts, and the distribution of its scores."""

from __future__ import annotations

from churn.reports.batch_report import BatchReport
from churn.reports.charts.batch_charts import scores_chart
from churn.reports.charts.chart_style import DARK, inline_pictures
from churn.reports.html_page import render_page


def render_batch_page(report: BatchReport) -> str:
    """Renders the page; the same report gives the same page."""
    pictures = inline_pictures(
        {"scores": scores_chart(report)}, {"scores": scores_chart(report, DARK)}
    )
    return render_page(
        "batch.html.j2",
        report=report,
        done=report.manifest,
        job=report.manifest.job,
        pictures=pictures,
    )
