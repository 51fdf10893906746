"""What every pod has in common: containers, limits, probes, rights and labels."""

from __future__ import annotations

from typing import Any, NamedTuple

from service.seldon.rollout import Rollout

Tree = dict[str, Any]

USER = 10001  # the image's; any that is not root will do


class Probes(NamedTuple):
    """Paths that Kubernetes checks, and the name of their port."""

    startup: str
    alive: str
    ready: str
    port: str


def container(
    name: str,
    image: str,
    *,
    command: list[str],
    arguments: list[str],
    variables: dict[str, str],
    memory: str,
    probes: Probes,
) -> Tree:
    """Returns a container without root, rights or anything writable but /tmp.

    `memory` is request and limit, so that the pod is not killed for another's.
    """
    variables = {"OMP_NUM_THREADS": "1", **variables}  # one row starts no pool of threads
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "args": arguments,
        "env": [{"name": name, "value": value} for name, value in sorted(variables.items())],
        "resources": resources(cpu="250m", most_cpu="1", memory=memory),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "startupProbe": _probe(probes.startup, probes.port, period=2, failures=60),
        "livenessProbe": _probe(probes.alive, probes.port, period=10, failures=3),
        "readinessProbe": _probe(probes.ready, probes.port, period=5, failures=2),
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - a volume of the pod's
    }


def resources(*, cpu: str, most_cpu: str, memory: str) -> Tree:
    """Returns requests and limits."""
    return {
        "requests": {"cpu": cpu, "memory": memory},
        "limits": {"cpu": most_cpu, "memory": memory},
    }


def pod_security(user: int) -> Tree:
    """Returns the security context of the pod: no root, no new rights."""
    return {
        "fsGroup": user,
        "runAsGroup": user,
        "runAsNonRoot": True,
        "runAsUser": user,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def temporary_volume() -> Tree:
    """Returns the volume behind /tmp; a remote bundle is stored there while it is loaded."""
    return {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}}


def metadata(rollout: Rollout, name: str, version: str | None = None) -> Tree:
    """Returns name, namespace and labels."""
    labels = {
        "app.kubernetes.io/managed-by": "churn-platform",
        "app.kubernetes.io/name": rollout.name,
    }
    tree: Tree = {"name": name, "labels": labels}
    if rollout.namespace is not None:
        tree["namespace"] = rollout.namespace
    if version is not None:
        tree["annotations"] = {"churn/bundle-version": version}
    return tree


def _probe(path: str, port: str, *, period: int, failures: int) -> Tree:
    return {
        "httpGet": {"path": path, "port": port},
        "periodSeconds": period,
        "failureThreshold": failures,
        "timeoutSeconds": 2,
    }
