"""The quality report on one page for people: first what was found, then every check; no customer.

Self-contained, like the training report: nothing is fetched, no script runs. It follows the
reader's light or dark setting, prints on paper and reads on a phone.
"""

from __future__ import annotations

from pathlib import Path

from churn.data.quality.quality_report import Check, QualityReport, Topic
from churn.data.quality.rule import listed

_TEMPLATES = Path(__file__).parent / "templates"

TOPIC_TITLES: dict[Topic, str] = {
    "table": "The table as a whole",
    "types": "Types",
    "blanks": "Blank cells",
    "values": "Single values",
    "relations": "Columns taken together",
    "distribution": "Distributions, against the accepted table",
}
"""What a reader sees above each group of checks, in the order of the page."""


def render_html(report: QualityReport, source: str) -> str:
    """The page; the same report gives the same page.

    Args:
        report: What the gate found.
        source: Where the table came from, as the user named it.

    Returns:
        One self-contained HTML file; whatever came from outside is escaped.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("quality_report.html.j2").render(
        report=report,
        source=source,
        opening=opening(report),
        groups=_groups(report),
        rows_of=failing_rows,
    )


def opening(report: QualityReport) -> str:
    """What was found and what it means, in one sentence."""
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


def failing_rows(check: Check) -> str:
    """The rows that fail a check, in words; '' where it is not about single rows."""
    if not check.failing_rows:
        return ""
    shown = [f"{row:,}" for row in check.failing_rows]
    if check.failing_count > len(shown):
        shown.append(f"{check.failing_count - len(shown):,} more")
    return listed(shown)


def _groups(report: QualityReport) -> list[tuple[str, list[Check]]]:
    """Each topic's title with its checks, in the order of the suite; empty topics left out."""
    groups = [
        (title, [check for check in report.checks if check.topic == topic])
        for topic, title in TOPIC_TITLES.items()
    ]
    return [(title, checks) for title, checks in groups if checks]
