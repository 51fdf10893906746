"""What a step may use, said in the words of its pod.

ZenML's Kubernetes orchestrator takes no notice of ZenML's own resource settings (it warns and goes
on), so what a stack file asks for is written into the settings of the pods, too.
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


def for_pods(options: Mapping[str, Any], spec: StackSpec) -> dict[str, Any]:
    """A pipeline's options with every resource setting repeated where Kubernetes reads it.

    A finished image is all that a pod gets: ZenML would otherwise upload the code from here and
    have each pod fetch it, other code than the image's, onto a root that is read-only.

    Args:
        options: From `stacks.run_settings.pipeline_options`.
        spec: The stack; one without pods changes nothing.

    Returns:
        Keyword arguments for `pipeline.with_options(...)`.
    """
    found = dict(options)
    if not runs_in_pods(spec):
        return found
    if "settings" in found:
        found["settings"] = _as_it_is(_with_pod(found["settings"]))
    if "steps" in found:
        found["steps"] = {
            name: {**step, "settings": _with_pod(step["settings"])}
            for name, step in found["steps"].items()
        }
    return found


def pod_resources(wanted: ResourceSettings) -> dict[str, dict[str, str]]:
    """Requests and limits of a container.

    Memory is limited to what was asked for: a step that takes more ends by itself and takes no
    neighbour along. Processors are shared, so time on them has no limit.
    """
    from zenml.integrations.kubernetes.kube_utils import convert_resource_settings_to_k8s_format

    requests, limits, _ = convert_resource_settings_to_k8s_format(wanted)
    if "memory" in requests:
        limits["memory"] = requests["memory"]
    return {name: each for name, each in (("requests", requests), ("limits", limits)) if each}


def _as_it_is(settings: dict[str, Any]) -> dict[str, Any]:
    docker = settings.get("docker")
    if docker is None or not docker.skip_build:
        return settings
    nothing_fetched = {
        "allow_download_from_artifact_store": False,
        "allow_download_from_code_repository": False,
    }
    return {**settings, "docker": docker.model_copy(update=nothing_fetched)}


def _with_pod(settings: Mapping[str, Any]) -> dict[str, Any]:
    if "resources" not in settings:
        return dict(settings)
    orchestrator = dict(settings.get("orchestrator", {}))
    pod = dict(orchestrator.get("pod_settings", {}))
    pod["resources"] = pod_resources(settings["resources"])
    return {**settings, "orchestrator": {**orchestrator, "pod_settings": pod}}
