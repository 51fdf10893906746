"""The rollout as resources of Seldon Core 2: a server with our image, models, an experiment."""

from __future__ import annotations

from churn.errors import InputError
from service.seldon.pods import Probes, Tree, container, metadata, pod_security, temporary_volume
from service.seldon.rollout import Rollout, slug

_API = "mlops.seldon.io/v1alpha1"
_CAPABILITY = "churn-bundle"  # binds our models to our server
_USER = 1000  # MLServer's in Seldon's own configuration, which its volumes expect


def seldon_models(rollout: Rollout) -> list[Tree]:
    """Returns the server, a model a version, and an experiment if there is a canary or a shadow.

    Raises:
        InputError: no version is named; Core 2 has no store with a version in production.
    """
    if rollout.version is None:
        raise InputError(
            "Seldon Core 2 serves named versions; say which one serves with --version VERSION."
        )
    trees = [_server(rollout), _model(rollout, rollout.version, rollout.minimum)]
    beside = (rollout.canary.version if rollout.canary is not None else None, rollout.shadow)
    trees += [_model(rollout, version, 1) for version in beside if version is not None]
    if beside != (None, None):
        trees.append(_experiment(rollout, rollout.version))
    return trees


def model_name(rollout: Rollout, version: str) -> str:
    """Returns the name of a version's model in the cluster."""
    return f"{rollout.name}-{slug(version)}"


def _server(rollout: Rollout) -> Tree:
    mlserver = container(
        "mlserver",
        rollout.image,
        # The folder where the agent puts models; Kubernetes takes it from Seldon's ServerConfig.
        command=["mlserver", "start"],
        arguments=["$(MLSERVER_MODELS_DIR)"],
        variables={"MLSERVER_PARALLEL_WORKERS": "0"},
        memory="1Gi",  # the scheduler counts models against it
        probes=Probes("/v2/health/ready", "/v2/health/live", "/v2/health/ready", "server-http"),
    )
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
                "containers": [mlserver],
                "volumes": [temporary_volume()],
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
    candidates = [{"name": model_name(rollout, main), "weight": rollout.main_percent()}]
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
