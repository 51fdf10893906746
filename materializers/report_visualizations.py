"""Pages and pictures of reports for ZenML's dashboard, and their figures for a list."""

from functools import singledispatch
from typing import Any

from pydantic import BaseModel

from churn.checks.deepchecks.deepchecks_report import ValidationReport
from churn.checks.validators.validator_report import ValidatorReport
from churn.data.quality import QualityReport
from churn.evaluation.gate_rows import GateRowsReport
from churn.evaluation.protocol import ProtocolReport
from churn.evaluation.selection import Selection
from churn.feature_store.features_result import FeaturesResult
from churn.promotion.decision import Decision
from churn.reports.charts import evaluation_charts as charts
from churn.reports.charts.chart_style import as_png
from churn.reports.deepchecks_page import render_deepchecks_page
from churn.reports.features_page import render_features_page
from churn.reports.quality_page import render_quality_page
from churn.reports.training.training_page import render_training_page
from churn.reports.training.training_report import TrainingReport
from churn.reports.validator_page import render_validator_page

PAGE = "report.html"
_PLACES = 5


@singledispatch
def visualize(report: BaseModel) -> dict[str, bytes]:
    """Returns the pages and pictures of a report, file name -> content.

    Raises:
        TypeError: no function is registered for that type.
    """
    raise TypeError(f"there is no way to show a {type(report).__name__}")


@singledispatch
def summary_metadata(report: BaseModel) -> dict[str, Any]:
    """Returns the few figures worth seeing in a list of a hundred artifacts.

    Raises:
        TypeError: no function is registered for that type.
    """
    raise TypeError(f"there is no summary_metadata of a {type(report).__name__}")


@visualize.register
def _(report: QualityReport) -> dict[str, bytes]:
    return {PAGE: render_quality_page(report, source=report.title).encode()}


@summary_metadata.register
def _(report: QualityReport) -> dict[str, Any]:
    return {
        "verdict": report.verdict,
        "checks": len(report.checks),
        "held": report.held,
        "rows": report.rows,
    }


@visualize.register
def _(report: Selection) -> dict[str, bytes]:
    return {"candidates.png": as_png(charts.candidates_chart(report.report, report.chosen))}


@summary_metadata.register
def _(report: Selection) -> dict[str, Any]:
    result = report.report.result(report.chosen)
    return {
        "chosen": report.chosen,
        "roc_auc": round(result.metrics.roc_auc, _PLACES),
        "clear": report.clear,
    }


@visualize.register
def _(report: ProtocolReport) -> dict[str, bytes]:
    return {
        "candidates.png": as_png(charts.candidates_chart(report, report.ranking[0].name)),
        "differences.png": as_png(charts.differences_chart(report)),
    }


@summary_metadata.register
def _(report: ProtocolReport) -> dict[str, Any]:
    return {
        "splits": report.plan.splits,
        "roc_auc": {each.name: round(each.metrics.roc_auc, _PLACES) for each in report.candidates},
    }


@visualize.register
def _(report: GateRowsReport) -> dict[str, bytes]:
    return {
        "roc.png": as_png(charts.roc_chart(report)),
        "gains.png": as_png(charts.gains_chart(report)),
        "reliability.png": as_png(charts.reliability_chart(report)),
        "scores.png": as_png(charts.scores_chart(report)),
    }


@summary_metadata.register
def _(report: GateRowsReport) -> dict[str, Any]:
    figures = {name: round(figure, _PLACES) for name, figure in report.metrics.figures.items()}
    return {"model": report.model, **figures}


@visualize.register
def _(report: Decision) -> dict[str, bytes]:
    lines = [f"**{report.status}**: {report.sentence}", ""]
    lines += ["| gate | verdict | in words |", "|---|---|---|"]
    lines += [f"| {each.name} | {each.verdict} | {each.sentence} |" for each in report.gates]
    for gate in report.gates:
        if gate.details:
            lines += ["", f"{gate.name}, by slice:", "", *(f"- {each}" for each in gate.details)]
    return {"decision.md": "\n".join([*lines, ""]).encode()}


@summary_metadata.register
def _(report: Decision) -> dict[str, Any]:
    return {
        "verdict": report.verdict,
        "status": report.status,
        "challenger": report.challenger,
        "champion": report.champion or "none",
        "gates": {each.name: each.verdict for each in report.gates},
    }


@visualize.register
def _(report: TrainingReport) -> dict[str, bytes]:
    return {PAGE: render_training_page(report).encode()}


@summary_metadata.register
def _(report: TrainingReport) -> dict[str, Any]:
    return {
        "profile": report.profile,
        "chosen": report.selection.chosen,
        "verdict": report.decision.verdict,
        "status": report.decision.status,
        "roc_auc": round(report.figure.result.metrics.roc_auc, _PLACES),
    }


@visualize.register
def _(report: ValidationReport) -> dict[str, bytes]:
    return {PAGE: render_deepchecks_page(report).encode()}


@summary_metadata.register
def _(report: ValidationReport) -> dict[str, Any]:
    return {
        "verdict": report.verdict,
        "conditions": len(report.findings),
        "held": report.held,
        "deepchecks": report.version,
        "seconds": round(sum(report.seconds.values()), 2),
    }


@visualize.register
def _(report: ValidatorReport) -> dict[str, bytes]:
    return {PAGE: (report.html or render_validator_page(report)).encode()}


@summary_metadata.register
def _(report: ValidatorReport) -> dict[str, Any]:
    return {
        "verdict": report.verdict_word,
        "validator": f"{report.validator} {report.version}",
        "checks": len(report.findings),
        "failed": len(report.failures),
        "attention": len(report.warnings),
    }


@visualize.register
def _(result: FeaturesResult) -> dict[str, bytes]:
    return {PAGE: render_features_page(result).encode()}


@summary_metadata.register
def _(result: FeaturesResult) -> dict[str, Any]:
    made = result.provenance
    return {
        "status": result.status,
        "version": made.version,
        "feature_set": made.feature_set,
        "sha256": made.source.sha256,
        "place": result.place,
        **result.figures,
    }
