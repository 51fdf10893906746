"""A validator's report on one page for people: what was found first, then every check; no customer.

One page for all three libraries, so that swapping one changes what is said and not where to look.
Evidently's own is 4 MB and Deepchecks' shows customers. Self-contained, like the other reports.
"""

from __future__ import annotations

from pathlib import Path

from churn.checks.validators.validator_report import ValidatorReport

_TEMPLATES = Path(__file__).parent / "templates"


def render_html(report: ValidatorReport) -> str:
    """One self-contained HTML file; the same report gives the same page, text is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("validator_report.html.j2").render(
        report=report, opening=opening(report), figure=_figure
    )


def opening(report: ValidatorReport) -> str:
    """What was found and what it means, in one sentence."""
    checks = f"of {len(report.findings):,} checks"
    failed, noticed = (len(report.standing_at(each)) for each in ("failed", "attention"))
    ask = f"{noticed:,} {'asks' if noticed == 1 else 'ask'} for attention"
    if report.verdict == "failed":
        also = f", and {ask}" if noticed else ""
        return f"These rows are refused: {failed:,} {checks} failed{also}."
    if report.verdict == "attention":
        return f"Nothing speaks against these rows, but {ask} {checks}."
    return f"Nothing speaks against these rows: every one {checks} is fine."


def _figure(number: float | None) -> str:
    """A figure or a limit as the table shows it; '' where there is none."""
    return "" if number is None else f"{number:.4g}"
