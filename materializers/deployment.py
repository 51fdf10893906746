"""Deployments as artifacts: JSON for machines, a page for people, figures for a list."""

from churn.deployment.deployment_record import Deployment, DeploymentPlan
from churn.reports.deployment_page import render_deployment
from materializers.exhibits import PAGE, Exhibits, Headline, exhibits, headline
from materializers.report import ReportMaterializer


class DeploymentMaterializer(ReportMaterializer):
    """Stores a plan or what came of it, as any report is stored."""

    ASSOCIATED_TYPES = (DeploymentPlan, Deployment)


@exhibits.register
def _(plan: DeploymentPlan) -> Exhibits:
    lines = [f"**{plan.sentence}**", "", *(f"1. {_told(each)}" for each in plan.actions), ""]
    return {"plan.md": "\n".join(lines).encode()}


@headline.register
def _(plan: DeploymentPlan) -> Headline:
    return {"version": plan.version, "target": plan.target, "place": plan.place}


@exhibits.register
def _(deployment: Deployment) -> Exhibits:
    return {PAGE: render_deployment(deployment).encode()}


@headline.register
def _(deployment: Deployment) -> Headline:
    return {
        "status": deployment.status,
        "version": deployment.version or "none",
        "target": deployment.target,
        "serving": deployment.serving or "none",
        **deployment.figures,
    }


def _told(action: str) -> str:
    return f"`{action[2:]}`" if action.startswith("$ ") else action
