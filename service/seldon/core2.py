"""The rollout as resources of Seldon Core 2: a server with our image, models, an experiment."""

from __future__ import annotations

from churn.errors import InputError
from service.seldon.pods import (
    Tree,
    container_security,
    environment,
    metadata,
    pod_security,
    resources,
    scratch,
)
from service.seldon.rollout import Rollout, slug

_API = "mlops.seldon.io/v1alpha1"
_CAPABILITY = "churn-bundle"  # what ties our models to our server and to no other
_USER = 1000  # MLServer's in Seldon's own configuration; its volumes are made for it


def seldon_models(rollout: Rollout) -> list[Tree]:
    """Server, a model a version, and an experiment where there is a canary or a shadow.

    Raises:
        InputError: no version is named; Core 2 knows no store with a version in production.
    """
    if rollout.version is None:
        raise InputError(
            "Seldon Core 2 serves named versions; say which one serves with --version VERSION."
        )
    resources_: list[Tree] = [
        _server(rollout),
        _model(rollout, rollout.version, rollout.minimum),
    ]
    if rollout.canary is not None:
        resources_.append(_model(rollout, rollout.canary.version, 1))
    if rollout.shadow is not None:
        resources_.append(_model(rollout, rollout.shadow, 1))
    if rollout.canary is not None or rollout.shadow is not None:
        resources_.append(_experiment(rollout, rollout.version))
    return resources_


def model_name(rollout: Rollout, version: str) -> str:
    """The name that a version's model has in the cluster."""
    return f"{rollout.name}-{slug(version)}"


def _server(rollout: Rollout) -> Tree:
    return {
        "apiVersion": _API,
        "kind": "Server",
        "metadata": metadata(rollout, f"{rollout.name}-server"),
        "spec": {
            "serverConfig": "mlserver",
            "capabilities": [_CAPABILITY],
            "replicas": rollout.minimum,
            "minReplicas": rollout.minimum,
            "maxReplicas": rollout.maximum,
            "podSpec": {
                "securityContext": pod_security(_USER),
                "containers": [
                    {
                        "name": "mlserver",
                        "image": rollout.image,
                        "imagePullPolicy": "IfNotPresent",
                        # Where the agent puts models; Kubernetes takes it from Seldon's ServerConfig.
                        "command": ["mlserver", "start"],
                        "args": ["$(MLSERVER_MODELS_DIR)"],
                        "env": environment(MLSERVER_PARALLEL_WORKERS="0"),
                        # The scheduler counts models against this memory.
                        "resources": resources(
                            cpu="250m", memory="1Gi", most_cpu="1", most_memory="1Gi"
                        ),
                        "securityContext": container_security(),
                        "startupProbe": _probe("/v2/health/ready", period=2, failures=60),
                        "livenessProbe": _probe("/v2/health/live", period=10, failures=3),
                        "readinessProbe": _probe("/v2/health/ready", period=5, failures=2),
                        "volumeMounts": [
                            {"name": "tmp", "mountPath": "/tmp"}  # noqa: S108 - a volume of the pod's
                        ],
                    }
                ],
                "volumes": [scratch()],
            },
        },
    }


def _model(rollout: Rollout, version: str, replicas: int) -> Tree:
    spec: Tree = {
        "storageUri": f"{rollout.bundle_uri}/{version}",
        "requirements": [_CAPABILITY],
        "server": f"{rollout.name}-server",
        "memory": "100Mi",
        "replicas": replicas,
        "minReplicas": replicas,
        "maxReplicas": rollout.maximum,
    }
    if rollout.secret is not None:
        spec["secretName"] = rollout.secret
    return {
        "apiVersion": _API,
        "kind": "Model",
        "metadata": metadata(rollout, model_name(rollout, version), version),
        "spec": spec,
    }


def _experiment(rollout: Rollout, main: str) -> Tree:
    candidates = [{"name": model_name(rollout, main), "weight": rollout.percent()}]
    if rollout.canary is not None:
        name = model_name(rollout, rollout.canary.version)
        candidates.append({"name": name, "weight": rollout.canary.percent})
    spec: Tree = {"default": model_name(rollout, main), "candidates": candidates}
    if rollout.shadow is not None:
        spec["mirror"] = {"name": model_name(rollout, rollout.shadow), "percent": 100}
    return {
        "apiVersion": _API,
        "kind": "Experiment",
        "metadata": metadata(rollout, f"{rollout.name}-rollout"),
        "spec": spec,
    }


def _probe(path: str, *, period: int, failures: int) -> Tree:
    return {
        "httpGet": {"path": path, "port": "server-http"},
        "periodSeconds": period,
        "failureThreshold": failures,
        "timeoutSeconds": 2,
    }
