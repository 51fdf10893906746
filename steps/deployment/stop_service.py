"""Stops what a deployment has started on this machine: a process, or ZenML's deployment."""

from typing import Annotated, Any

from zenml import step

from churn.deployment.deployment_record import Deployment
from churn.settings.pipelines import DeploymentSettings
from deployment.stop import stop_deployed_service
from materializers.report_materializer import ReportMaterializer
from registry.artifacts import Artifact
from steps.progress import step_progress


@step(enable_cache=False, output_materializers=ReportMaterializer)
def stop_service(settings: dict[str, Any]) -> Annotated[Deployment, Artifact.DEPLOYMENT]:
    """Stops the service; a dry run only says what it would stop.

    Raises:
        InputError: something listens on the port that no deployment has started.
        ChurnError: it may not be stopped.
    """
    with step_progress("stop_service") as progress:
        stopped = stop_deployed_service(DeploymentSettings.from_mapping(settings))
        progress.record(stopped.sentence, {"status": stopped.status})
    return stopped
