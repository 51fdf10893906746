"""The scoring pipeline's deployments as ZenML has them: found by name, and stopped.

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
    """A deployment as ZenML has it.

    Attributes:
        name: What ZenML calls it.
        address: Where it listens; customers go to `/invoke` there. Empty where it never came up.
        key: What callers show as `Authorization: Bearer`; None where none is asked for.
        store: The bundle store whose production version answers; None where it is not a scoring
            pipeline of ours.
        stack: Name of the stack it was deployed with.
        running: Whether ZenML holds it to be up.
    """

    name: str
    address: str
    key: str | None
    store: str | None
    stack: str
    running: bool


def find_deployment(name: str) -> ZenmlDeployment | None:
    """By the whole name: ZenML's own look-up would take a name that only begins so."""
    from zenml.client import Client

    found = next(iter(Client().list_deployments(name=name, hydrate=True).items), None)
    if found is None:
        return None
    snapshot = found.snapshot
    started_with = (snapshot.pipeline_configuration.init_hook_kwargs if snapshot else None) or {}
    return ZenmlDeployment(
        name=found.name,
        address=found.url or "",
        key=found.auth_key,
        store=started_with.get("store"),
        stack=snapshot.stack.name if snapshot and snapshot.stack else "",
        running=found.status == "running",
    )


def stop_deployment(name: str) -> bool:
    """Stops a deployment and forgets it; its runs stay. Tells whether there was one."""
    from zenml.client import Client

    found = next(iter(Client().list_deployments(name=name).items), None)
    if found is not None:
        Client().delete_deployment(found.id, force=True, timeout=_STOP_SECONDS)
    return found is not None
