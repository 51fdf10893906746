"""Page of the quality report: first what failed, then every check; it shows no customer."""

from __future__ import annotations

from churn.data.quality.quality_report import Check, QualityReport, Topic
from churn.data.quality.rule import listed
from churn.reports.html_page import render_page

TOPIC_TITLES: dict[Topic, str] = {
    "table": "The table as a whole",
    "types": "Types",
    "blanks": "Blank cells",
    "values": "Single values",
    "relations": "Columns taken together",
    "distribution": "Distributions, against the accepted table",
}
"""What a reader sees above each group of checks, in the order of the page."""


def render_quality_page(report: QualityReport, source: str) -> str:
    """Renders the page; the same report and source, as the user named it, give the same page."""
    groups = [
        (title, [check for check in report.checks if check.topic == topic])
        for topic, title in TOPIC_TITLES.items()
    ]
    return render_page(
        "quality.html.j2",
        report=report,
        source=source,
        opening=opening_sentence(report),
        groups=[(title, checks) for title, checks in groups if checks],
        format_failing_rows=format_failing_rows,
    )


def opening_sentence(report: QualityReport) -> str:
    """Says in one sentence what was found and what it means."""
    checks = f"of {len(report.checks)} checks"
    failed, warned = len(report.failures), len(report.warnings)
    fails = f"{failed} {checks} {'fails' if failed == 1 else 'fail'}"
    warns = f"{warned} {'warning' if warned == 1 else 'warnings'}"
    if report.verdict == "fail":
        also = f", and there {'is' if warned == 1 else 'are'} {warns}" if warned else ""
        return f"This table is refused: {fails} that a table must pass{also}."
    if report.verdict == "warn":
        return f"This table can be used, but look at {warns} among {len(report.checks)} checks."
    return f"This table can be used: every one {checks} holds."


def format_failing_rows(check: Check) -> str:
    """The rows that fail a check, in words; '' where it is not about single rows."""
    if not check.failing_rows:
        return ""
    shown = [f"{row:,}" for row in check.failing_rows]
    if check.failing_count > len(shown):
        shown.append(f"{check.failing_count - len(shown):,} more")
    return listed(shown)
