"""The readout as a page: what the campaign may earn, how it is measured, and what was measured so far."""

from __future__ import annotations

from churn.reports.charts.chart_style import DARK, inline_pictures
from churn.reports.charts.retention_charts import retention_charts
from churn.reports.executive.evidence import Evidence
from churn.reports.executive.kpi_tree import kpi_rows
from churn.reports.html_page import render_page


def render_readout_page(seen: Evidence) -> str:
    """Renders the page; the same artifacts give the same page. It shows no customer."""
    light = {n: chart() for n, chart in retention_charts(seen.roi, seen.experiment).items()}
    dark = {n: chart() for n, chart in retention_charts(seen.roi, seen.experiment, DARK).items()}
    return render_page(
        "campaign_readout.html.j2",
        title=seen.contract.title,
        roi=seen.roi,
        plan=seen.experiment,
        readout=seen.readout,
        kpis=kpi_rows(seen),
        sentences=seen.retention.assumptions,
        pictures=inline_pictures(light, dark),
    )
