"""Stops what a deployment has started on this machine: a process, or ZenML's deployment."""

from datetime import UTC, datetime
from typing import Annotated, Any

from zenml import step

from churn.deployment.deployment_record import Deployment
from churn.errors import InputError
from churn.settings.pipelines import DeploymentSettings
from deployment.choose_target import state_folder
from deployment.local_process import HOST, find_process, port_is_free, remove_process_file
from deployment.zenml_deployments import PORT, find_deployment, stop_deployment
from materializers.deployment_materializer import DeploymentMaterializer
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=DeploymentMaterializer)
def stop_service(settings: dict[str, Any]) -> Annotated[Deployment, Artifact.DEPLOYMENT]:
    """Stops it, or says that it would; nothing is left to do where none runs.

    Raises:
        InputError: something listens on the port that no deployment has started.
        ChurnError: it may not be stopped.
    """
    with step_progress("stop_service") as progress:
        asked = DeploymentSettings.from_mapping(settings)
        sentence, place = _zenml(asked) if asked.target == "zenml" else _local(asked)
        stopped = Deployment(
            status="dry run" if asked.dry_run else "stopped",
            model=asked.model.name,
            version="",
            target=asked.target,
            place=place,
            serving=None,
            at=datetime.now(UTC),
            seconds=0.0,
            actions=(f"{sentence[0].upper()}{sentence[1:]}.",),
            sentence=sentence,
        )
        progress.record(sentence, {"status": stopped.status})
    return stopped


def _local(asked: DeploymentSettings) -> tuple[str, str]:
    """What became of the process, and its address."""
    folder = state_folder(asked) / "local"
    running = find_process(folder)
    port = running.port if running else asked.local.port
    place = f"http://{HOST}:{port}"
    if running is None and not port_is_free(port):
        raise InputError(
            f"What listens on port {port} of {HOST} was not started by the deployment "
            "pipeline; stop it where it was started."
        )
    if running is None:
        return "no service runs that a deployment has started", place
    if asked.dry_run:
        return f"process {running.pid} on port {port} would be stopped", place
    running.stop()
    remove_process_file(folder)
    return f"process {running.pid} on port {port} was stopped", place


def _zenml(asked: DeploymentSettings) -> tuple[str, str]:
    """What became of the deployment, and its address."""
    name = asked.zenml.name
    there = find_deployment(name)
    if there is None:
        return f"ZenML has no deployment '{name}'", f"http://{HOST}:{asked.zenml.port or PORT}"
    if there.store is None:
        raise InputError(
            f"ZenML's deployment '{name}' is not one of the scoring pipeline; stop it with zenml "
            f"deployment delete {name}."
        )
    if asked.dry_run:
        return f"ZenML's deployment '{name}' would be stopped", there.address
    stop_deployment(name)
    return f"ZenML's deployment '{name}' was stopped", there.address
