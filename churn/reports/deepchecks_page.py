"""Page of Deepchecks' results: first what failed, then every condition.

Deepchecks' own page shows customers' rows, is 15 to 68 MB a suite on the shipped table, and its
interactive form needs a package that it does not install; therefore this one.
"""

from __future__ import annotations

from churn.checks.deepchecks.deepchecks_report import SuiteName, ValidationReport
from churn.reports.html_page import render_page

SUITE_TITLES: dict[SuiteName, str] = {
    "data_integrity": "The table by itself",
    "train_test_validation": "Development rows against gate rows",
    "model_evaluation": "The model",
}
"""What a reader sees above each suite, in the order of the page."""


def render_deepchecks_page(report: ValidationReport) -> str:
    """Renders the page; the same report gives the same page."""
    suites = [
        (
            name,
            title,
            [each for each in report.findings if each.suite == name],
            [each for each in report.left_out if each.suite == name],
        )
        for name, title in SUITE_TITLES.items()
    ]
    opening = opening_sentence(report)
    return render_page("deepchecks.html.j2", report=report, opening=opening, suites=suites)


def opening_sentence(report: ValidationReport) -> str:
    """Says in one sentence what was found and what it means."""
    conditions = f"of {len(report.findings)} conditions"
    failed, warned = len(report.failures), len(report.warnings)
    warns = f"{warned} {'warning' if warned == 1 else 'warnings'}"
    if report.verdict == "fail":
        also = f", and there {'is' if warned == 1 else 'are'} {warns}" if warned else ""
        fails = f"{failed} {conditions} {'fails' if failed == 1 else 'fail'}"
        return f"This model is held back: {fails} that must hold{also}."
    if report.verdict == "warn":
        return f"Nothing speaks against this model, but look at {warns} among {conditions[3:]}."
    return f"Nothing speaks against this model: every one {conditions} holds."
