"""What a run asks of the API server; deployment/manifests/kubernetes/pipelines/rights.yaml grants just that."""

from __future__ import annotations

from typing import NamedTuple

RUNNER, ORCHESTRATOR, STEPS = "churn-runner", "churn-orchestrator", "churn-steps"
"""Service accounts: who starts runs, the pod that starts steps, the steps themselves."""

STEPS_SECRET = "churn-steps"  # noqa: S105 - its name
"""The cluster's secret with what every step finds in its environment."""


class Right(NamedTuple):
    """One verb on one kind of thing, in the namespace of the pipelines.

    Attributes:
        group: The API group; '' is the core one.
        resource: Such as `jobs`, or `pods/log` for a part of one.
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
"""Of whoever types `run.py --stack kubernetes`, and of the schedule."""

ORCHESTRATOR_RIGHTS = (
    *_rights("batch", "jobs", "create", "get", "list", "patch", "delete"),
    *_rights("", "pods", "get", "list"),
)
"""Of the pod that starts the steps."""
