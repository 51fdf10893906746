"""Stops the service that a deployment to this machine has started."""

from datetime import UTC, datetime
from typing import Annotated, Any

from zenml import step

from churn.config import DeploymentSettings
from churn.deployment.record import Deployment
from churn.errors import InputError
from materializers.deployment import DeploymentMaterializer
from steps.artifacts import Artifact
from steps.deployment.choose import state_folder
from steps.deployment.local_process import HOST, forget, found_in, port_is_free
from steps.progress import stage


@step(enable_cache=False, output_materializers=DeploymentMaterializer)
def stop_service(settings: dict[str, Any]) -> Annotated[Deployment, Artifact.DEPLOYMENT]:
    """Stops it, or says that it would; nothing is left to do where none runs.

    Raises:
        InputError: something listens on the port that no deployment has started.
        ChurnError: it may not be stopped.
    """
    with stage("stop_service") as found:
        asked = DeploymentSettings.of(settings)
        folder = state_folder(asked) / "local"
        running = found_in(folder)
        port = running.port if running else asked.local.port
        if running is None and not port_is_free(port):
            raise InputError(
                f"What listens on port {port} of {HOST} was not started by the deployment "
                "pipeline; stop it where it was started."
            )
        if running is None:
            sentence = "no service runs that a deployment has started"
        elif asked.dry_run:
            sentence = f"process {running.pid} on port {port} would be stopped"
        else:
            running.stop()
            forget(folder)
            sentence = f"process {running.pid} on port {port} was stopped"
        stopped = Deployment(
            status="dry run" if asked.dry_run else "stopped",
            model=asked.model.name,
            version="",
            target="local",
            place=f"http://{HOST}:{port}",
            serving=None,
            at=datetime.now(UTC),
            seconds=0.0,
            actions=(f"{sentence[0].upper()}{sentence[1:]}.",),
            sentence=sentence,
        )
        found(sentence, {"status": stopped.status})
    return stopped
