"""Rights that a run needs; deployment/manifests/kubernetes/pipelines/rights.yaml grants exactly these."""

from __future__ import annotations

from typing import NamedTuple

RUNNER, ORCHESTRATOR, STEPS = "churn-runner", "churn-orchestrator", "churn-steps"
"""Service accounts: who starts runs, the pod that starts steps, the steps themselves."""

STEPS_SECRET = "churn-steps"  # noqa: S105 - its name
"""Name of the secret with the environment variables of every step."""


class Right(NamedTuple):
    """One verb on one resource, in the namespace of the pipelines.

    Attributes:
        group: API group; empty for the core group.
        resource: Such as `jobs`, or `pods/log` for a subresource.
        verb: Such as `create`.
    """

    group: str
    resource: str
    verb: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"


def _rights(group: str, resource: str, *verbs: str) -> tuple[Right, ...]:
    return tuple(Right(group, resource, verb) for verb in verbs)


RUNNER_RIGHTS = (
    *_rights("batch", "jobs", "create", "get", "list", "delete"),
    *_rights("", "pods", "list"),
    *_rights("", "pods/log", "get"),
)
"""Rights of the person who runs `run.py --stack kubernetes`, and of the schedule."""

ORCHESTRATOR_RIGHTS = (
    *_rights("batch", "jobs", "create", "get", "list", "patch", "delete"),
    *_rights("", "pods", "get", "list"),
)
"""Rights of the pod that starts the steps."""
