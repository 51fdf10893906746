"""Pages and pictures of reports for ZenML's dashboard, and their figures for a list."""

from collections.abc import Callable
from functools import singledispatch
from typing import Any

from pydantic import BaseModel

from churn.checks.deepchecks.deepchecks_report import ValidationReport
from churn.data.quality import QualityReport
from churn.evaluation.gate_rows import GateRowsReport
from churn.evaluation.protocol import ProtocolReport
from churn.evaluation.selection import Selection
from churn.promotion.decision import Decision
from churn.reports.charts import evaluation_charts as charts
from churn.reports.charts.chart_style import as_png
from churn.reports.deepchecks_page import render_deepchecks_page
from churn.reports.quality_page import render_quality_page
from churn.reports.training.training_page import render_training_page
from churn.reports.training.training_report import TrainingReport

Visualizations = dict[str, bytes]
Metadata = dict[str, Any]

PAGE = "report.html"
_PLACES = 5


@singledispatch
def visualize(report: BaseModel) -> Visualizations:
    """Returns the pages and pictures of a report, file name -> content.

    Raises:
        TypeError: no function is registered for that type.
    """
    raise TypeError(f"there is no way to show a {type(report).__name__}")


@singledispatch
def summary_metadata(report: BaseModel) -> Metadata:
    """Returns the few figures worth seeing in a list of a hundred artifacts.

    Raises:
        TypeError: no function is registered for that type.
    """
    raise TypeError(f"there is no summary_metadata of a {type(report).__name__}")


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(figure, _PLACES) for name, figure in figures.items()}


def _drawn(**pictures: Callable[[], Any]) -> Visualizations:
    return {f"{name}.png": as_png(draw()) for name, draw in pictures.items()}


@visualize.register
def _(report: QualityReport) -> Visualizations:
    return {PAGE: render_quality_page(report, source=report.title).encode()}


@summary_metadata.register
def _(report: QualityReport) -> Metadata:
    return {
        "verdict": report.verdict,
        "checks": len(report.checks),
        "held": report.held,
        "rows": report.rows,
    }


@visualize.register
def _(report: Selection) -> Visualizations:
    return _drawn(candidates=lambda: charts.candidates_chart(report.report, report.chosen))


@summary_metadata.register
def _(report: Selection) -> Metadata:
    result = report.report.result(report.chosen)
    return {
        "chosen": report.chosen,
        "roc_auc": round(result.metrics.roc_auc, _PLACES),
        "clear": report.clear,
    }


@visualize.register
def _(report: ProtocolReport) -> Visualizations:
    best = report.ranking[0].name
    return _drawn(
        candidates=lambda: charts.candidates_chart(report, best),
        differences=lambda: charts.differences_chart(report),
    )


@summary_metadata.register
def _(report: ProtocolReport) -> Metadata:
    return {
        "splits": report.plan.splits,
        "roc_auc": {each.name: round(each.metrics.roc_auc, _PLACES) for each in report.candidates},
    }


@visualize.register
def _(report: GateRowsReport) -> Visualizations:
    return _drawn(
        roc=lambda: charts.roc_chart(report),
        gains=lambda: charts.gains_chart(report),
        reliability=lambda: charts.reliability_chart(report),
        scores=lambda: charts.scores_chart(report),
    )


@summary_metadata.register
def _(report: GateRowsReport) -> Metadata:
    return {"model": report.model, **_rounded(report.metrics.figures)}


@visualize.register
def _(report: Decision) -> Visualizations:
    lines = [f"**{report.verdict}**: {report.sentence}", ""]
    lines += ["| gate | verdict | in words |", "|---|---|---|"]
    lines += [f"| {each.name} | {each.verdict} | {each.sentence} |" for each in report.gates]
    return {"decision.md": "\n".join([*lines, ""]).encode()}


@summary_metadata.register
def _(report: Decision) -> Metadata:
    return {
        "verdict": report.verdict,
        "challenger": report.challenger,
        "champion": report.champion or "none",
        "gates": {each.name: each.verdict for each in report.gates},
    }


@visualize.register
def _(report: TrainingReport) -> Visualizations:
    return {PAGE: render_training_page(report).encode()}


@summary_metadata.register
def _(report: TrainingReport) -> Metadata:
    return {
        "profile": report.profile,
        "chosen": report.selection.chosen,
        "verdict": report.decision.verdict,
        "roc_auc": round(report.figure.result.metrics.roc_auc, _PLACES),
    }


@visualize.register
def _(report: ValidationReport) -> Visualizations:
    return {PAGE: render_deepchecks_page(report).encode()}


@summary_metadata.register
def _(report: ValidationReport) -> Metadata:
    return {
        "verdict": report.verdict,
        "conditions": len(report.findings),
        "held": report.held,
        "deepchecks": report.version,
        "seconds": round(sum(report.seconds.values()), 2),
    }
