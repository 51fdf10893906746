"""Renders what ZenML's Kubernetes orchestrator creates for a compiled pipeline, without a cluster.

The manifests come from ZenML's own code with the stack's settings: one Job for the pod that starts
the steps, and one for each step. Three values are known only when a run starts, and are placeholders
here: the random part of a name, ids, and the run's token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from churn.errors import InputError
from stacks.kubernetes.resources import runs_in_pods
from stacks.spec import StackSpec

if TYPE_CHECKING:
    from kubernetes.client import V1Job
    from zenml.integrations.kubernetes.flavors.kubernetes_orchestrator_flavor import (
        KubernetesOrchestratorSettings,
    )
    from zenml.integrations.kubernetes.orchestrators import KubernetesOrchestrator
    from zenml.models import PipelineSnapshotBase

RANDOM = "00000000"
_UNKNOWN_ID = UUID(int=0)
_TOKEN = "created for the run, and valid until it ends"  # noqa: S105 - says that there will be one


def render_jobs(snapshot: PipelineSnapshotBase, spec: StackSpec) -> list[dict[str, Any]]:
    """Returns the Jobs of one run: the orchestrator's first, then each step's, in order.

    They are as the API server stores them, without null values.

    Args:
        snapshot: The pipeline, compiled for the stack, which must be the active one.
        spec: The stack, its placeholders filled in.

    Raises:
        InputError: the stack has no Kubernetes orchestrator.
    """
    if not runs_in_pods(spec):
        raise InputError(
            f"Stack '{spec.name}' has no Kubernetes orchestrator, so there are no manifests."
        )
    from zenml.client import Client

    orchestrator = cast("KubernetesOrchestrator", Client().active_stack.orchestrator)
    environment = {
        "ZENML_STORE_TYPE": "rest",
        "ZENML_STORE_URL": spec.server.url if spec.server else "",
        "ZENML_STORE_API_TOKEN": _TOKEN,
    }
    steps = snapshot.step_configurations
    jobs = [
        _orchestrator_job(orchestrator, snapshot, environment),
        *(_step_job(orchestrator, snapshot, name, environment) for name in steps),
    ]
    return [_as_stored(job, orchestrator.config.kubernetes_namespace) for job in jobs]


def _orchestrator_job(
    orchestrator: KubernetesOrchestrator,
    snapshot: PipelineSnapshotBase,
    environment: dict[str, str],
) -> V1Job:
    from zenml.integrations.kubernetes.orchestrators.kubernetes_orchestrator_entrypoint_configuration import (
        KubernetesOrchestratorEntrypointConfiguration as Entrypoint,
    )
    from zenml.integrations.kubernetes.pod_settings import KubernetesPodSettings

    settings = _settings(orchestrator, snapshot)
    pipeline = snapshot.pipeline_configuration.name
    # ZenML 0.98 has no public function that renders this Job; can go when it has one.
    return orchestrator._prepare_job_manifest(
        name=_name(settings, pipeline),
        command=Entrypoint.get_entrypoint_command(),
        args=Entrypoint.get_entrypoint_arguments(snapshot_id=_UNKNOWN_ID, run_id=_UNKNOWN_ID),
        image=_image(snapshot),
        environment=environment,
        labels={"pipeline": pipeline},
        annotations={},
        settings=settings,
        pod_settings=settings.orchestrator_pod_settings or KubernetesPodSettings(),
        backoff_limit=settings.orchestrator_job_backoff_limit,
    )


def _step_job(
    orchestrator: KubernetesOrchestrator,
    snapshot: PipelineSnapshotBase,
    step: str,
    environment: dict[str, str],
) -> V1Job:
    """Returns the Job that `start_step_job` of ZenML's orchestrator pod creates."""
    from zenml.entrypoints.step_entrypoint_configuration import StepEntrypointConfiguration
    from zenml.integrations.kubernetes import kube_utils, manifest_utils

    configured = snapshot.step_configurations[step]
    settings = _settings(orchestrator, configured)
    pipeline = snapshot.pipeline_configuration.name
    labels = {"pipeline": pipeline, "step_name": kube_utils.sanitize_label_value(step)}
    pod = manifest_utils.build_pod_manifest(
        pod_name=None,
        image_name=_image(snapshot, step),
        command=StepEntrypointConfiguration.get_entrypoint_command(),
        args=StepEntrypointConfiguration.get_entrypoint_arguments(
            step_name=step, snapshot_id=_UNKNOWN_ID
        ),
        env=environment,
        privileged=settings.privileged,
        pod_settings=kube_utils.apply_default_resource_requests(
            memory="400Mi", pod_settings=settings.pod_settings
        ),
        service_account_name=settings.step_pod_service_account_name
        or settings.service_account_name,
        termination_grace_period_seconds=settings.pod_stop_grace_period,
        labels=dict(labels),
    )
    retry = configured.config.retry
    return manifest_utils.build_job_manifest(
        job_name=_name(settings, step, pipeline),
        pod_template=manifest_utils.pod_template_manifest_from_pod(pod),
        backoff_limit=(retry.max_retries if retry else 0) + settings.backoff_limit_margin,
        ttl_seconds_after_finished=settings.ttl_seconds_after_finished,
        active_deadline_seconds=settings.active_deadline_seconds,
        pod_failure_policy=settings.pod_failure_policy,
        labels=labels,
    )


def _settings(
    orchestrator: KubernetesOrchestrator, configured: Any
) -> KubernetesOrchestratorSettings:
    return cast("KubernetesOrchestratorSettings", orchestrator.get_settings(configured))


def _name(settings: KubernetesOrchestratorSettings, *parts: str) -> str:
    from zenml.integrations.kubernetes import kube_utils

    return kube_utils.sanitize_label("-".join((settings.job_name_prefix or "", RANDOM, *parts)))


def _image(snapshot: PipelineSnapshotBase, step: str | None = None) -> str:
    """Returns the prebuilt image; an image that ZenML builds has no name yet."""
    configured = snapshot.step_configurations[step].config if step else None
    docker = (configured or snapshot.pipeline_configuration).docker_settings
    return str(docker.parent_image) if docker.skip_build else "built-by-zenml"


def _as_stored(job: V1Job, namespace: str) -> dict[str, Any]:
    from kubernetes.client import ApiClient

    stored = cast(dict[str, Any], _without_null(ApiClient().sanitize_for_serialization(job)))
    metadata = {**stored["metadata"], "namespace": namespace}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": stored["spec"]}


def _without_null(document: Any) -> Any:
    """Returns the document without null values, which the API server drops."""
    if isinstance(document, dict):
        return {key: _without_null(each) for key, each in document.items() if each is not None}
    if isinstance(document, list):
        return [_without_null(each) for each in document]
    return document
