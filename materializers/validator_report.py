"""A data validator's report as an artifact: JSON, the page for the dashboard, the verdict in a list."""

from churn.checks.validators.validator_report import ValidatorReport
from churn.reports.validator_page import render_html
from materializers.exhibits import PAGE, Exhibits, Headline, exhibits, headline
from materializers.report import ReportMaterializer


class ValidatorReportMaterializer(ReportMaterializer):
    """Stores it like every other report."""

    ASSOCIATED_TYPES = (ValidatorReport,)


@exhibits.register
def _(report: ValidatorReport) -> Exhibits:
    return {PAGE: (report.html or render_html(report)).encode()}


@headline.register
def _(report: ValidatorReport) -> Headline:
    return {
        "verdict": report.verdict,
        "validator": f"{report.validator} {report.version}",
        "checks": len(report.findings),
        "failed": len(report.standing_at("failed")),
        "attention": len(report.standing_at("attention")),
    }
