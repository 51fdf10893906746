"""The rollout as a `SeldonDeployment` of Seldon Core 1."""

from __future__ import annotations

from service.seldon.pods import (
    USER,
    Tree,
    container_security,
    environment,
    metadata,
    pod_security,
    resources,
    scratch,
)
from service.seldon.rollout import Rollout

MODEL = "service.seldon.model.ChurnModel"
_BUSY = 70  # percent of the requested processor time from which on a replica is added


def seldon_deployment(rollout: Rollout) -> Tree:
    """One predictor for the main version, one each for canary and shadow."""
    predictors = [
        _predictor(
            rollout,
            "main",
            rollout.version,
            replicas=rollout.minimum,
            traffic=rollout.percent(),
        )
    ]
    if rollout.canary is not None:
        canary = rollout.canary
        predictors.append(
            _predictor(rollout, "canary", canary.version, replicas=1, traffic=canary.percent)
        )
    if rollout.shadow is not None:
        shadow = _predictor(rollout, "shadow", rollout.shadow, replicas=1, traffic=100)
        predictors.append({**shadow, "shadow": True})
    return {
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": metadata(rollout, rollout.name),
        "spec": {"name": rollout.name, "protocol": "seldon", "predictors": predictors},
    }


def bundle_uri(rollout: Rollout, version: str | None) -> str:
    """Where a version's bundle lies in the store; the store itself for what is in production."""
    return rollout.bundle_uri if version is None else f"{rollout.bundle_uri}/bundles/{version}"


def _predictor(
    rollout: Rollout, name: str, version: str | None, *, replicas: int, traffic: int
) -> Tree:
    return {
        "name": name,
        "annotations": {"churn/bundle-version": version or "in production"},
        "traffic": traffic,
        "replicas": replicas,
        "graph": {
            "name": rollout.name,
            "type": "MODEL",
            "children": [],
            "parameters": [
                {
                    "name": "bundle_uri",
                    "type": "STRING",
                    "value": bundle_uri(rollout, version),
                }
            ],
        },
        "svcOrchSpec": {
            "resources": resources(cpu="100m", memory="128Mi", most_cpu="500m", most_memory="128Mi")
        },
        "componentSpecs": [
            {
                "hpaSpec": {
                    "minReplicas": replicas,
                    "maxReplicas": rollout.maximum,
                    # In the words of Seldon's own guide, not of autoscaling/v2.
                    "metrics": [
                        {
                            "type": "Resource",
                            "resource": {"name": "cpu", "targetAverageUtilization": _BUSY},
                        }
                    ],
                },
                "spec": {
                    "automountServiceAccountToken": False,
                    "securityContext": pod_security(USER),
                    "terminationGracePeriodSeconds": 30,
                    "containers": [_container(rollout)],
                    "volumes": [scratch()],
                },
            }
        ],
    }


def _container(rollout: Rollout) -> Tree:
    container: Tree = {
        "name": rollout.name,  # Seldon finds a graph's container by this name
        "image": rollout.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["seldon-core-microservice", MODEL],
        "args": ["--service-type", "MODEL"],
        "env": environment(
            GUNICORN_WORKERS="1",
            GUNICORN_THREADS="4",
            GRPC_THREADS="4",
            INCLUDE_METRICS_IN_CLIENT_RESPONSE="false",
        ),
        "resources": resources(cpu="250m", memory="512Mi", most_cpu="1", most_memory="512Mi"),
        "securityContext": container_security(),
        "startupProbe": _probe("/health/ping", period=2, failures=60),
        "livenessProbe": _probe("/health/ping", period=10, failures=3),
        "readinessProbe": _probe("/health/status", period=5, failures=2),
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - a volume of the pod's
    }
    if rollout.secret is not None:
        container["envFrom"] = [{"secretRef": {"name": rollout.secret}}]
    return container


def _probe(path: str, *, period: int, failures: int) -> Tree:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period,
        "failureThreshold": failures,
        "timeoutSeconds": 2,
    }
