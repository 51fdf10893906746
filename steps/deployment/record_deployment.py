"""Records a deployment in the ledger and on the model version."""

from typing import Annotated

from zenml import step

from churn.deployment.deployment_record import Deployment
from churn.errors import InputError
from churn.ledger.deployments import DeploymentLedger
from registry.artifacts import Artifact
from registry.control_plane import control_plane
from registry.step_context import step_context
from registry.versions import find_version
from steps.progress import step_progress


@step(enable_cache=False)
def record_deployment(
    deployment: Deployment, folders: dict[str, str]
) -> Annotated[str, Artifact.DEPLOYMENT_RECORD]:
    """Records a deployment, whether it serves or was rolled back.

    Returns:
        The key of its metadata on the model version.

    Raises:
        InputError: the version is gone, or the ledger cannot be written to.
    """
    name = f"deployment_{deployment.target}"
    with step_progress("record_deployment") as progress:
        with DeploymentLedger(folders["ledger"]) as ledger:
            ledger.record(deployment)
        version = find_version(deployment.model, deployment.version)
        if version is None:
            raise InputError(
                f"Version {deployment.version} of '{deployment.model}' is gone from the Model "
                "Control Plane, so its deployment is recorded in the ledger alone."
            )
        if (context := step_context()) is not None:
            control_plane().link_artifact(version, context.inputs["deployment"][0])
            control_plane().link_run(version, context.pipeline_run.id)
        control_plane().log_metadata(version, {name: deployment.metadata})
        progress.record(
            f"{deployment.status} on version {deployment.version} and in the ledger",
            {"status": deployment.status, "target": deployment.target},
        )
    return name
