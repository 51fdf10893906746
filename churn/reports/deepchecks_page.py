"""The validation report on one page for people: first what failed, then every condition.

Deepchecks' own page shows customers' rows, is 15 to 68 MB a suite on the shipped table, and its
interactive form needs a package that it does not bring; so this one is ours. Self-contained, like
the other reports: nothing is fetched, no script runs.
"""

from __future__ import annotations

from pathlib import Path

from churn.checks.deepchecks.deepchecks_report import Finding, LeftOut, SuiteName, ValidationReport

_TEMPLATES = Path(__file__).parent / "templates"

SUITE_TITLES: dict[SuiteName, str] = {
    "data_integrity": "The table by itself",
    "train_test_validation": "Development rows against gate rows",
    "model_evaluation": "The model",
}
"""What a reader sees above each suite, in the order of the page."""


def render_html(report: ValidationReport) -> str:
    """One self-contained HTML file; the same report gives the same page, text is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("validation_report.html.j2").render(
        report=report, opening=opening(report), suites=_suites(report)
    )


def opening(report: ValidationReport) -> str:
    """What was found and what it means, in one sentence."""
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


def _suites(
    report: ValidationReport,
) -> list[tuple[SuiteName, str, list[Finding], list[LeftOut]]]:
    """Each suite's name and title, with its findings and what it was not asked."""
    return [
        (
            name,
            title,
            [each for each in report.findings if each.suite == name],
            [each for each in report.left_out if each.suite == name],
        )
        for name, title in SUITE_TITLES.items()
    ]
