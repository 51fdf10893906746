"""The rollout as a `SeldonDeployment` of Seldon Core 1."""

from __future__ import annotations

from service.seldon.pods import (
    USER,
    Probes,
    Tree,
    container,
    metadata,
    pod_security,
    resources,
    temporary_volume,
)
from service.seldon.rollout import Rollout

MODEL = "service.seldon.model.ChurnModel"
_BUSY_PERCENT = 70  # of the requested processor time; above it a replica is added


def seldon_deployment(rollout: Rollout) -> Tree:
    """Returns one predictor for the main version, and one each for canary and shadow."""
    percent, canary = rollout.main_percent(), rollout.canary
    predictors = [
        _predictor(rollout, "main", rollout.version, replicas=rollout.minimum, traffic=percent)
    ]
    if canary is not None:
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
    """Returns the URI of a version's bundle; the store's own for what is in production."""
    return rollout.bundle_uri if version is None else f"{rollout.bundle_uri}/bundles/{version}"


def _predictor(
    rollout: Rollout, name: str, version: str | None, *, replicas: int, traffic: int
) -> Tree:
    uri = {"name": "bundle_uri", "type": "STRING", "value": bundle_uri(rollout, version)}
    return {
        "name": name,
        "annotations": {"churn/bundle-version": version or "in production"},
        "traffic": traffic,
        "replicas": replicas,
        "graph": {"name": rollout.name, "type": "MODEL", "children": [], "parameters": [uri]},
        "svcOrchSpec": {"resources": resources(cpu="100m", most_cpu="500m", memory="128Mi")},
        "componentSpecs": [
            {
                "hpaSpec": {
                    "minReplicas": replicas,
                    "maxReplicas": rollout.maximum,
                    # As Seldon's own guide spells it, not autoscaling/v2.
                    "metrics": [
                        {
                            "type": "Resource",
                            "resource": {"name": "cpu", "targetAverageUtilization": _BUSY_PERCENT},
                        }
                    ],
                },
                "spec": {
                    "automountServiceAccountToken": False,
                    "securityContext": pod_security(USER),
                    "terminationGracePeriodSeconds": 30,
                    "containers": [_container(rollout)],
                    "volumes": [temporary_volume()],
                },
            }
        ],
    }


def _container(rollout: Rollout) -> Tree:
    tree = container(
        rollout.name,  # Seldon finds a graph's container by this name
        rollout.image,
        command=["seldon-core-microservice", MODEL],
        arguments=["--service-type", "MODEL"],
        variables={
            "GUNICORN_WORKERS": "1",
            "GUNICORN_THREADS": "4",
            "GRPC_THREADS": "4",
            "INCLUDE_METRICS_IN_CLIENT_RESPONSE": "false",
        },
        memory="512Mi",
        probes=Probes("/health/ping", "/health/ping", "/health/status", "http"),
    )
    if rollout.secret is not None:
        tree["envFrom"] = [{"secretRef": {"name": rollout.secret}}]
    return tree
