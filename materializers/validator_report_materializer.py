"""A data validator's report as an artifact: JSON, the page for the dashboard, the verdict in a list."""

from churn.checks.validators.validator_report import ValidatorReport
from churn.reports.validator_page import render_validator_page
from materializers.report_materializer import ReportMaterializer
from materializers.report_visualizations import (
    PAGE,
    Metadata,
    Visualizations,
    summary_metadata,
    visualize,
)


class ValidatorReportMaterializer(ReportMaterializer):
    """Stores it like every other report."""

    ASSOCIATED_TYPES = (ValidatorReport,)


@visualize.register
def _(report: ValidatorReport) -> Visualizations:
    return {PAGE: (report.html or render_validator_page(report)).encode()}


@summary_metadata.register
def _(report: ValidatorReport) -> Metadata:
    return {
        "verdict": report.verdict_word,
        "validator": f"{report.validator} {report.version}",
        "checks": len(report.findings),
        "failed": len(report.failures),
        "attention": len(report.warnings),
    }
