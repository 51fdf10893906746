"""Plans a deployment without changing anything."""

from churn.deployment.deployment_record import DeploymentPlan
from deployment.bundle import bundle_exists
from deployment.choose_target import create_target
from deployment.target import DeployRequest


def plan_request(request: DeployRequest) -> DeploymentPlan:
    """Checks the target's prerequisites and lists the actions that a deployment would take.

    Raises:
        InputError: the target lacks something.
        ChurnError: the target does not answer.
    """
    target = create_target(request)
    target.check_prerequisites()
    missing = not bundle_exists(request)
    writing = (f"Write the bundle of version {request.version}.",) if missing else ()
    return DeploymentPlan(
        model=request.model,
        version=request.version,
        target=request.settings.target,
        place=target.place,
        actions=(*writing, *target.planned_actions()),
        manifests=target.manifests,
    )
