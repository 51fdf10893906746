"""Deployments as artifacts: JSON for machines, a page for people, figures for a list."""

from churn.deployment.deployment_record import Deployment, DeploymentPlan
from churn.reports.deployment_page import render_deployment_page
from materializers.report_materializer import ReportMaterializer
from materializers.report_visualizations import (
    PAGE,
    Metadata,
    Visualizations,
    summary_metadata,
    visualize,
)


class DeploymentMaterializer(ReportMaterializer):
    """Stores a plan or the record of a deployment as a report."""

    ASSOCIATED_TYPES = (DeploymentPlan, Deployment)


@visualize.register
def _(plan: DeploymentPlan) -> Visualizations:
    lines = [f"**{plan.sentence}**", "", *(f"1. {_as_code(each)}" for each in plan.actions), ""]
    return {"plan.md": "\n".join(lines).encode()}


@summary_metadata.register
def _(plan: DeploymentPlan) -> Metadata:
    return {"version": plan.version, "target": plan.target, "place": plan.place}


@visualize.register
def _(deployment: Deployment) -> Visualizations:
    return {PAGE: render_deployment_page(deployment).encode()}


@summary_metadata.register
def _(deployment: Deployment) -> Metadata:
    return {
        "status": deployment.status,
        "version": deployment.version or "none",
        "target": deployment.target,
        "serving": deployment.serving or "none",
        **deployment.figures,
    }


def _as_code(action: str) -> str:
    return f"`{action[2:]}`" if action.startswith("$ ") else action
