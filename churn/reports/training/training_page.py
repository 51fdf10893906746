"""The training report as one HTML page: first in sentences, then in tables and charts."""

from __future__ import annotations

from matplotlib.figure import Figure

from churn.evaluation.metrics import HIGHER_IS_BETTER, METRIC_TITLES
from churn.reports.charts import evaluation_charts as charts
from churn.reports.charts.chart_style import DARK, LIGHT, Theme, inline_pictures
from churn.reports.charts.explanation_charts import explanation_charts
from churn.reports.charts.threshold_charts import campaigns_chart, profit_chart
from churn.reports.charts.tuning_charts import history_chart, setting_importance_chart
from churn.reports.html_page import render_page
from churn.reports.training.training_report import TrainingReport

_EXPLANATIONS = ("importance", "beeswarm", "dependence", "interaction")


def render_training_page(report: TrainingReport) -> str:
    """Renders the page; the same report gives the same page."""
    pictures = inline_pictures(report_charts(report, LIGHT), report_charts(report, DARK))
    return render_page(
        "training.html.j2",
        report=report,
        pictures=pictures,
        metric_titles=METRIC_TITLES,
        higher_is_better=HIGHER_IS_BETTER,
        explanations=_EXPLANATIONS,
        searched=[name for name in pictures if name.endswith(("_history", "_settings"))],
    )


def report_charts(report: TrainingReport, theme: Theme = LIGHT) -> dict[str, Figure]:
    """Draws the report's charts, by name, in the order of the page."""
    drawn = {
        "candidates": charts.candidates_chart(report.protocol, report.selection.chosen, theme),
        "differences": charts.differences_chart(report.protocol, theme),
        "roc": charts.roc_chart(report.gate_rows, theme),
        "gains": charts.gains_chart(report.gate_rows, theme),
        "reliability": charts.reliability_chart(report.gate_rows, theme),
        "scores": charts.scores_chart(report.gate_rows, theme),
    }
    if report.threshold is not None:
        drawn["profit"] = profit_chart(report.threshold, theme)
        if report.threshold.gate is not None:
            drawn["campaigns"] = campaigns_chart(report.threshold, theme)
    if report.explanation is not None:
        drawn |= explanation_charts(report.explanation, theme)
    for search in report.searches.reports if report.searches else ():
        drawn[f"{search.recipe}_history"] = history_chart(search, theme)
        if search.importance:
            drawn[f"{search.recipe}_settings"] = setting_importance_chart(search, theme)
    return drawn
