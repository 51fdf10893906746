"""Deployment: look, serve and prove, record; or stop what an earlier one has started."""

from typing import Any

from zenml import pipeline

from steps.deployment.deploy_version import deploy_version
from steps.deployment.plan_deployment import plan_deployment
from steps.deployment.record_deployment import record_deployment
from steps.deployment.stop_service import stop_service


@pipeline(name="deployment")
def deployment(settings: dict[str, Any], folders: dict[str, str]) -> None:
    """Wires the steps; `settings` are `DeploymentSettings`, `folders` bundle stores and ledger."""
    if settings["action"] == "stop":
        stop_service(settings)
        return
    plan = plan_deployment(settings, folders)
    done = deploy_version(plan, settings, folders)
    if not settings["dry_run"]:
        record_deployment(done, folders)
