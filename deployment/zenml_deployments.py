"""The scoring pipeline's deployments in ZenML: found by name, and stopped.

Starting one takes the pipeline itself, which no step imports: `python -m runner.scoring_service`
does that.
"""

from __future__ import annotations

from dataclasses import dataclass

NAME = "churn-scoring"
PORT = 8300
_STOP_SECONDS = 180


@dataclass(frozen=True)
class ZenmlDeployment:
    """A deployment in ZenML.

    Attributes:
        name: Its name in ZenML.
        address: URL that it listens on; customers go to `/invoke` there. Empty if it never started.
        key: What callers send as `Authorization: Bearer`; None where no key is needed.
        store: Bundle store whose production version answers; None where it is not a deployment of
            our scoring pipeline.
        stack: Name of the stack it was deployed with.
        running: Whether ZenML reports it as running.
    """

    name: str
    address: str
    key: str | None
    store: str | None
    stack: str
    running: bool


def find_deployment(name: str) -> ZenmlDeployment | None:
    """Returns the deployment of exactly this name: ZenML's own look-up also takes a prefix."""
    from zenml.client import Client

    deployment = next(iter(Client().list_deployments(name=name, hydrate=True).items), None)
    if deployment is None:
        return None
    snapshot = deployment.snapshot
    hook_arguments = (snapshot.pipeline_configuration.init_hook_kwargs if snapshot else None) or {}
    return ZenmlDeployment(
        name=deployment.name,
        address=deployment.url or "",
        key=deployment.auth_key,
        store=hook_arguments.get("store"),
        stack=snapshot.stack.name if snapshot and snapshot.stack else "",
        running=deployment.status == "running",
    )


def stop_deployment(name: str) -> bool:
    """Stops and deletes a deployment; its runs stay. Returns whether there was one."""
    from zenml.client import Client

    deployment = next(iter(Client().list_deployments(name=name).items), None)
    if deployment is not None:
        Client().delete_deployment(deployment.id, force=True, timeout=_STOP_SECONDS)
    return deployment is not None
