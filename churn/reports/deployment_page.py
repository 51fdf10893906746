"""A deployment on one page for people: what it came to, what was asked, what was done.

Self-contained, like the other reports: nothing is fetched, no script runs.
"""

from __future__ import annotations

from pathlib import Path

from churn.deployment.deployment_record import Deployment
from churn.deployment.smoke import format_difference

_TEMPLATES = Path(__file__).parent / "templates"


def render_deployment(deployment: Deployment) -> str:
    """The page; the same deployment gives the same page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("deployment.html.j2").render(
        deployment=deployment, smoke=deployment.smoke, format_difference=format_difference
    )
