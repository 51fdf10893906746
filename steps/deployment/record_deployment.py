"""Keeps what a deployment came to: on the model version, linked to it, and in the ledger."""

from typing import Annotated

from zenml import Model, get_step_context, link_artifact_to_model, log_metadata, step
from zenml.client import Client
from zenml.models import ModelVersionPipelineRunRequest, ModelVersionResponse

from churn.deployment.record import Deployment
from churn.errors import InputError
from churn.ledger.deployments import DeploymentLedger
from steps.artifacts import Artifact
from steps.progress import stage
from steps.promotion.versions import find_version


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
    with stage("record_deployment") as found:
        with DeploymentLedger(folders["ledger"]) as ledger:
            ledger.record(deployment)
        version = find_version(deployment.model, deployment.version)
        if version is None:
            raise InputError(
                f"Version {deployment.version} of '{deployment.model}' is gone from the Model "
                "Control Plane, so its deployment stands in the ledger alone."
            )
        _link(version)
        log_metadata(metadata={name: deployment.metadata}, model_version_id=version.id)
        found(
            f"{deployment.status} on version {deployment.version} and in the ledger",
            {"status": deployment.status, "target": deployment.target},
        )
    return name


def _link(version: ModelVersionResponse) -> None:
    """The run, and what it says of the deployment, belong to the version."""
    context = get_step_context()
    link_artifact_to_model(
        context.inputs["deployment"][0], Model(name=version.model.name, version=version.number)
    )
    Client().zen_store.create_model_version_pipeline_run_link(
        ModelVersionPipelineRunRequest(
            model_version=version.id, pipeline_run=context.pipeline_run.id
        )
    )
