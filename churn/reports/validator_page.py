"""Page of a data validator's report: first what is not fine, then every check.

It is the same page for all three libraries, so that a swap changes the findings and not where to
look. Evidently's own page is 4 MB, and Deepchecks' shows customers.
"""

from __future__ import annotations

from churn.checks.validators.validator_report import ValidatorReport
from churn.reports.html_page import render_page


def render_validator_page(report: ValidatorReport) -> str:
    """Renders the page; the same report gives the same page."""
    opening = opening_sentence(report)
    return render_page("validator.html.j2", report=report, opening=opening, figure=_figure)


def opening_sentence(report: ValidatorReport) -> str:
    """Says in one sentence what was found and what it means."""
    checks = f"of {len(report.findings):,} checks"
    failed, noticed = len(report.failures), len(report.warnings)
    ask = f"{noticed:,} {'asks' if noticed == 1 else 'ask'} for attention"
    if report.verdict == "fail":
        also = f", and {ask}" if noticed else ""
        return f"These rows are refused: {failed:,} {checks} failed{also}."
    if report.verdict == "warn":
        return f"Nothing speaks against these rows, but {ask} {checks}."
    return f"Nothing speaks against these rows: every one {checks} is fine."


def _figure(number: float | None) -> str:
    """A figure or a limit as the table shows it; '' where there is none."""
    return "" if number is None else f"{number:.4g}"
