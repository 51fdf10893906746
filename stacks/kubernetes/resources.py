"""Copies the resources of steps into the settings of their pods.

ZenML's Kubernetes orchestrator ignores ZenML's own resource settings, with a warning; so what a
stack file requests is written into the settings of the pods, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stacks.spec import OwnComponent, StackSpec

if TYPE_CHECKING:
    from zenml.config import ResourceSettings

FLAVOR = "kubernetes"


def runs_in_pods(spec: StackSpec) -> bool:
    """Whether each step of a run on this stack gets a pod of its own."""
    orchestrator = spec.components.get("orchestrator")
    return isinstance(orchestrator, OwnComponent) and orchestrator.flavor == FLAVOR


def with_pod_resources(options: Mapping[str, Any], spec: StackSpec) -> dict[str, Any]:
    """Returns a pipeline's options with the resources repeated where Kubernetes reads them.

    A pod runs the code of its prebuilt image: ZenML would otherwise upload the code from here and
    have each pod download it, onto a root file system that is read-only.

    Args:
        options: From `stacks.run_settings.pipeline_options`.
        spec: The stack; without pods, nothing changes.
    """
    result = dict(options)
    if not runs_in_pods(spec):
        return result
    if "settings" in result:
        result["settings"] = _without_download(_with_pod(result["settings"]))
    if "steps" in result:
        result["steps"] = {
            name: {**step, "settings": _with_pod(step["settings"])}
            for name, step in result["steps"].items()
        }
    return result


def pod_resources(resources: ResourceSettings) -> dict[str, dict[str, str]]:
    """Returns the requests and limits of a container.

    The memory limit equals its request, so that a step that takes more ends alone and not with its
    neighbours. Processors are shared, so they have no limit.
    """
    from zenml.integrations.kubernetes.kube_utils import convert_resource_settings_to_k8s_format

    requests, limits, _ = convert_resource_settings_to_k8s_format(resources)
    if "memory" in requests:
        limits["memory"] = requests["memory"]
    return {name: each for name, each in (("requests", requests), ("limits", limits)) if each}


def _without_download(settings: dict[str, Any]) -> dict[str, Any]:
    docker = settings.get("docker")
    if docker is None or not docker.skip_build:
        return settings
    no_download = {
        "allow_download_from_artifact_store": False,
        "allow_download_from_code_repository": False,
    }
    return {**settings, "docker": docker.model_copy(update=no_download)}


def _with_pod(settings: Mapping[str, Any]) -> dict[str, Any]:
    if "resources" not in settings:
        return dict(settings)
    orchestrator = dict(settings.get("orchestrator", {}))
    pod = dict(orchestrator.get("pod_settings", {}))
    pod["resources"] = pod_resources(settings["resources"])
    return {**settings, "orchestrator": {**orchestrator, "pod_settings": pod}}
