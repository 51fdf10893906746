"""Page of a retention run: the campaign, its limits, the cohorts, and what the amounts rest on."""

from __future__ import annotations

from churn.campaign.retention_report import RetentionReport
from churn.reports.html_page import render_page


def render_retention_page(report: RetentionReport) -> str:
    """Renders the page; the same report gives the same page. It shows no customer."""
    return render_page(
        "retention.html.j2",
        report=report,
        done=report.allocation,
        cohorts=report.cohorts.cohorts,
        changes=report.cohorts.changes,
        has_last=bool(report.cohorts.last),
    )
