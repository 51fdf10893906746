"""Keeps what a deployment came to: on the model version, linked to it, and in the ledger."""

from typing import Annotated

from zenml import step
from zenml.models import ModelVersionResponse

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
    """Keeps it whether it went well or was taken back.

    Returns:
        The name of the metadata that the model version keeps it under.

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
                "Control Plane, so its deployment stands in the ledger alone."
            )
        _link(version)
        control_plane().note(version, {name: deployment.metadata})
        progress.record(
            f"{deployment.status} on version {deployment.version} and in the ledger",
            {"status": deployment.status, "target": deployment.target},
        )
    return name


def _link(version: ModelVersionResponse) -> None:
    """The run, and what it says of the deployment, belong to the version; outside of runs, nothing."""
    context = step_context()
    if context is not None:
        control_plane().add_artifact(version, context.inputs["deployment"][0])
        control_plane().add_run(version, context.pipeline_run.id)
