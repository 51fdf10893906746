"""Pages, pictures and figures of what is decided on: thresholds, slices, reasons, promotions."""

from typing import Any

from churn.campaign.retention_report import CohortReport, RetentionReport
from churn.deployment.deployment_record import Deployment, DeploymentPlan
from churn.evaluation.recalibration import Recalibration
from churn.evaluation.slices import SlicesReport
from churn.evaluation.threshold_report import ThresholdReport
from churn.explain.explanation_report import ExplanationReport
from churn.explain.reason_stability import ReasonStability
from churn.promotion.promotion_outcome import PromotionOutcome, PromotionPair
from churn.reports.batch_page import render_batch_page
from churn.reports.batch_report import BatchReport
from churn.reports.charts.batch_charts import scores_chart
from churn.reports.charts.chart_style import as_png
from churn.reports.charts.explanation_charts import explanation_charts
from churn.reports.charts.monitoring_charts import monitoring_charts
from churn.reports.charts.threshold_charts import campaigns_chart, profit_chart
from churn.reports.charts.tuning_charts import history_chart, setting_importance_chart
from churn.reports.deployment_page import render_deployment_page
from churn.reports.model_card.card import ModelCard
from churn.reports.model_card.card_page import model_card_markdown, render_model_card
from churn.reports.monitoring_page import render_monitoring_page
from churn.reports.monitoring_report import MonitoringReport
from churn.reports.retention_page import render_retention_page
from churn.tuning.searches import Searches
from materializers.report_visualizations import PAGE, summary_metadata, visualize

_PLACES = 5


def _markdown(*lines: str) -> bytes:
    return "\n".join([*lines, ""]).encode()


@visualize.register
def _(report: Recalibration) -> dict[str, bytes]:
    return {"recalibration.md": _markdown(report.sentence)}


@summary_metadata.register
def _(report: Recalibration) -> dict[str, Any]:
    ece = round(report.served.reliability.ece, _PLACES)
    return {"applied": report.applied, "ece": ece, **report.map.model_dump()}


@visualize.register
def _(report: ThresholdReport) -> dict[str, bytes]:
    words = [*report.sentences, *(f"Assumption: {each}" for each in report.assumptions)]
    return {
        "profit.png": as_png(profit_chart(report)),
        "campaigns.png": as_png(campaigns_chart(report)),
        "threshold.md": _markdown(*(f"- {each}" for each in words)),
    }


@summary_metadata.register
def _(report: ThresholdReport) -> dict[str, Any]:
    figures = {name: round(figure, _PLACES) for name, figure in report.figures.items()}
    return {"rule": report.settings.rule, **figures}


@visualize.register
def _(report: SlicesReport) -> dict[str, bytes]:
    lines = [report.sentence, "", "| group | rows | left | in words |", "|---|---|---|---|"]
    lines += [
        f"| {each.name} | {each.rows:,} | {each.positives:,} | {each.sentence} |"
        for each in report.slices
    ]
    lines += ["", *(f"- {note}" for note in report.notes)]
    return {"slices.md": _markdown(*lines)}


@summary_metadata.register
def _(report: SlicesReport) -> dict[str, Any]:
    measured = sum(each.verdict == "measured" for each in report.slices)
    return {"slices": len(report.slices), "measured": measured}


@visualize.register
def _(report: ExplanationReport) -> dict[str, bytes]:
    charts = explanation_charts(report)
    return {f"{name}.png": as_png(figure) for name, figure in charts.items()}


@summary_metadata.register
def _(report: ExplanationReport) -> dict[str, Any]:
    strongest = report.importance[0].column
    return {"strongest": strongest, "rows": report.rows, "additive": report.additive}


@visualize.register
def _(report: ReasonStability) -> dict[str, bytes]:
    return {"stability.md": _markdown(report.sentence)}


@summary_metadata.register
def _(report: ReasonStability) -> dict[str, Any]:
    return {
        "samples": report.samples,
        "first_same": round(report.first_same, _PLACES),
        "overlap": round(report.overlap, _PLACES),
    }


@visualize.register
def _(report: PromotionPair) -> dict[str, bytes]:
    return {"pair.md": _markdown(report.sentence)}


@summary_metadata.register
def _(report: PromotionPair) -> dict[str, Any]:
    return {"challenger": report.challenger, "champion": report.champion or "none"}


@visualize.register
def _(report: PromotionOutcome) -> dict[str, bytes]:
    return {"outcome.md": _markdown(f"**{report.status}**: {report.sentence}")}


@summary_metadata.register
def _(report: PromotionOutcome) -> dict[str, Any]:
    return {
        "status": report.status,
        "version": report.version,
        "before": report.before or "none",
        "approved_by": report.approved_by or "nobody was asked",
    }


@visualize.register
def _(card: ModelCard) -> dict[str, bytes]:
    return {
        PAGE: render_model_card(card).encode(),
        "MODEL_CARD.md": model_card_markdown(card).encode(),
    }


@summary_metadata.register
def _(card: ModelCard) -> dict[str, Any]:
    return {
        "model": card.report.model_name,
        "git_commit": card.provenance.git_commit or "not known",
        "verdict": card.report.decision.verdict,
        "status": card.report.decision.status,
    }


@visualize.register
def _(searches: Searches) -> dict[str, bytes]:
    drawn = {"tuning.md": _markdown(*(f"- {each}" for each in searches.sentences))}
    for search in searches.reports:
        drawn[f"{search.recipe}_history.png"] = as_png(history_chart(search))
        if search.importance:
            drawn[f"{search.recipe}_settings.png"] = as_png(setting_importance_chart(search))
    return drawn


@summary_metadata.register
def _(searches: Searches) -> dict[str, Any]:
    return {
        "trials": sum(len(search.trials) for search in searches.reports),
        "best": {search.recipe: round(search.best_value, _PLACES) for search in searches.reports},
    }


@visualize.register
def _(plan: DeploymentPlan) -> dict[str, bytes]:
    steps = (f"`{each[2:]}`" if each.startswith("$ ") else each for each in plan.actions)
    return {"plan.md": _markdown(f"**{plan.sentence}**", "", *(f"1. {step}" for step in steps))}


@summary_metadata.register
def _(plan: DeploymentPlan) -> dict[str, Any]:
    return {"version": plan.version, "target": plan.target, "place": plan.place}


@visualize.register
def _(deployment: Deployment) -> dict[str, bytes]:
    return {PAGE: render_deployment_page(deployment).encode()}


@summary_metadata.register
def _(deployment: Deployment) -> dict[str, Any]:
    return {
        "status": deployment.status,
        "version": deployment.version or "none",
        "target": deployment.target,
        "serving": deployment.serving or "none",
        **deployment.figures,
    }


@visualize.register
def _(report: BatchReport) -> dict[str, bytes]:
    return {PAGE: render_batch_page(report).encode(), "scores.png": as_png(scores_chart(report))}


@visualize.register
def _(report: MonitoringReport) -> dict[str, bytes]:
    drawn = {name: as_png(chart()) for name, chart in monitoring_charts(report).items()}
    pictures = {f"{name}.png": picture for name, picture in drawn.items()}
    return {PAGE: render_monitoring_page(report).encode(), **pictures}


@summary_metadata.register
def _(report: MonitoringReport) -> dict[str, Any]:
    named = {"model": report.model, "version": report.version, "verdict": report.verdict}
    return named | report.figures


@visualize.register
def _(_report: CohortReport) -> dict[str, bytes]:
    return {}  # the page of the run shows them


@summary_metadata.register
def _(report: CohortReport) -> dict[str, Any]:
    return {"model": report.model, "cohorts": len(report.cohorts)}


@visualize.register
def _(report: RetentionReport) -> dict[str, bytes]:
    return {PAGE: render_retention_page(report).encode()}


@summary_metadata.register
def _(report: RetentionReport) -> dict[str, Any]:
    return {"model": report.model, "version": report.version, **report.figures}


@summary_metadata.register
def _(report: BatchReport) -> dict[str, Any]:
    return {"model": report.model, "version": report.manifest.job.version, **report.figures}
