"""Page of a deployment: its result, the smoke test and what was done."""

from __future__ import annotations

from churn.deployment.deployment_record import Deployment
from churn.deployment.smoke import format_difference
from churn.reports.html_page import render_page


def render_deployment_page(deployment: Deployment) -> str:
    """Renders the page; the same deployment gives the same page."""
    return render_page(
        "deployment.html.j2",
        deployment=deployment,
        smoke=deployment.smoke,
        format_difference=format_difference,
    )
