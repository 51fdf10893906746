"""Stops the service that a deployment has started on this machine."""

from datetime import UTC, datetime

from churn.deployment.deployment_record import Deployment
from churn.errors import InputError
from churn.settings.pipelines import DeploymentSettings
from deployment.choose_target import state_folder
from deployment.local_process import HOST, find_process, port_is_free, remove_process_file
from deployment.zenml_deployments import PORT, find_deployment, stop_deployment


def stop_deployed_service(settings: DeploymentSettings) -> Deployment:
    """Stops a local process or ZenML's deployment and returns the record; a dry run changes nothing.

    Raises:
        InputError: something listens on the port that no deployment has started.
        ChurnError: it may not be stopped.
    """
    stop = _stop_zenml_deployment if settings.target == "zenml" else _stop_process
    sentence, place = stop(settings)
    return Deployment(
        status="dry run" if settings.dry_run else "stopped",
        model=settings.model.name,
        version="",
        target=settings.target,
        place=place,
        serving=None,
        at=datetime.now(UTC),
        seconds=0.0,
        actions=(f"{sentence[0].upper()}{sentence[1:]}.",),
        sentence=sentence,
    )


def _stop_process(settings: DeploymentSettings) -> tuple[str, str]:
    """Returns what became of the process, and its address."""
    folder = state_folder(settings) / "local"
    running = find_process(folder)
    port = running.port if running else settings.local.port
    place = f"http://{HOST}:{port}"
    if running is None and not port_is_free(port):
        raise InputError(
            f"What listens on port {port} of {HOST} was not started by the deployment "
            "pipeline; stop it where it was started."
        )
    if running is None:
        return "no service runs that a deployment has started", place
    if settings.dry_run:
        return f"process {running.pid} on port {port} would be stopped", place
    running.stop()
    remove_process_file(folder)
    return f"process {running.pid} on port {port} was stopped", place


def _stop_zenml_deployment(settings: DeploymentSettings) -> tuple[str, str]:
    """Returns what became of the deployment, and its address."""
    name = settings.zenml.name
    deployment = find_deployment(name)
    if deployment is None:
        return f"ZenML has no deployment '{name}'", f"http://{HOST}:{settings.zenml.port or PORT}"
    if deployment.store is None:
        raise InputError(
            f"ZenML's deployment '{name}' is not one of the scoring pipeline; stop it with zenml "
            f"deployment delete {name}."
        )
    if settings.dry_run:
        return f"ZenML's deployment '{name}' would be stopped", deployment.address
    stop_deployment(name)
    return f"ZenML's deployment '{name}' was stopped", deployment.address
