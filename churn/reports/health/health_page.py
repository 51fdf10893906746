"""Page of a model's health; the same history gives the same page."""

from __future__ import annotations

from churn.monitoring.drift_check import WATCH_LEVEL
from churn.reports.charts.chart_style import DARK, inline_pictures
from churn.reports.health.health_charts import history_chart
from churn.reports.health.health_findings import headline, outcome_finding
from churn.reports.health.model_health import ModelHealth
from churn.reports.html_page import render_page


def render_health_page(
    health: ModelHealth, *, watch_level: float = WATCH_LEVEL, note: str = ""
) -> str:
    """Renders the page; `note` is a sentence that stands above everything."""
    pictures = inline_pictures(
        {"history": history_chart(health, watch_level=watch_level)},
        {"history": history_chart(health, watch_level=watch_level, theme=DARK)},
    )
    return render_page(
        "health.html.j2",
        health=health,
        headline=headline(health),
        outcomes=outcome_finding(health) if health.known else "",
        newest=health.checks[-1],
        worst=min(
            (each.roc_auc.area for each in health.judged if each.roc_auc is not None), default=None
        ),
        note=note,
        pictures=pictures,
    )
