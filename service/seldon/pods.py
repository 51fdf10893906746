"""What every pod of ours asks for and may do: as little as it needs."""

from __future__ import annotations

from typing import Any

from service.seldon.rollout import Rollout

Tree = dict[str, Any]

USER = 10001  # the image's; any that is not root will do


def resources(*, cpu: str, memory: str, most_cpu: str, most_memory: str) -> Tree:
    """Requests and limits; memory is asked for in full, so that a pod is not killed for another's."""
    return {
        "requests": {"cpu": cpu, "memory": memory},
        "limits": {"cpu": most_cpu, "memory": most_memory},
    }


def container_security() -> Tree:
    """No root, no new rights, nothing to write to but /tmp."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
    }


def pod_security(user: int) -> Tree:
    """The pod's part of the same."""
    return {
        "fsGroup": user,
        "runAsGroup": user,
        "runAsNonRoot": True,
        "runAsUser": user,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def scratch() -> Tree:
    """The volume behind /tmp; a remote bundle lies there while it is loaded."""
    return {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}}


def environment(**variables: str) -> list[Tree]:
    """Variables, with the one that keeps a one-row score from waking a pool of threads."""
    return [
        {"name": name, "value": value}
        for name, value in sorted({"OMP_NUM_THREADS": "1", **variables}.items())
    ]


def metadata(rollout: Rollout, name: str, version: str | None = None) -> Tree:
    """Name, namespace and labels."""
    tree: Tree = {"name": name, "labels": labels(rollout)}
    if rollout.namespace is not None:
        tree["namespace"] = rollout.namespace
    if version is not None:
        tree["annotations"] = {"churn/bundle-version": version}
    return tree


def labels(rollout: Rollout) -> Tree:
    """Labels of everything that belongs to the rollout."""
    return {
        "app.kubernetes.io/managed-by": "churn-platform",
        "app.kubernetes.io/name": rollout.name,
    }
