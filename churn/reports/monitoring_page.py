"""Page of a monitoring run: the verdict, what moved, and what to do."""

from __future__ import annotations

from churn.reports.charts.chart_style import DARK, inline_pictures
from churn.reports.charts.monitoring_charts import monitoring_charts
from churn.reports.html_page import render_page
from churn.reports.monitoring_report import MonitoringReport, refused_words


def render_monitoring_page(report: MonitoringReport) -> str:
    """Renders the page; the same report gives the same page."""
    light = {name: chart() for name, chart in monitoring_charts(report).items()}
    dark = {name: chart() for name, chart in monitoring_charts(report, DARK).items()}
    return render_page(
        "monitoring.html.j2",
        report=report,
        window=report.window,
        check=report.check,
        refused=refused_words(report.window) if report.window.refused else "",
        pictures=inline_pictures(light, dark),
    )
