"""ZenML's Model Control Plane, as far as this project reads and writes it.

Steps call `control_plane()`, so that a unit test can replace it.
"""

from contextlib import suppress
from typing import Any
from uuid import UUID

from zenml import Model, link_artifact_to_model, log_metadata
from zenml.client import Client
from zenml.enums import ModelStages
from zenml.exceptions import EntityExistsError
from zenml.models import (
    ArtifactVersionResponse,
    ModelVersionPipelineRunRequest,
    ModelVersionResponse,
)


class ControlPlane:
    """Models, their versions, and the artifacts and runs linked to each."""

    def find_version(self, model: str, version: str | ModelStages) -> ModelVersionResponse | None:
        """Returns a version by its number or stage; None if there is none."""
        try:
            return Client().get_model_version(model, version)
        except KeyError:
            return None

    def newest_version_with(self, artifact: UUID, model: str) -> ModelVersionResponse | None:
        """Returns the newest version of a model that an artifact is linked to; None if none is."""
        client = Client()
        links = client.list_model_version_artifact_links(artifact_version_id=artifact)
        versions = [client.zen_store.get_model_version(link.model_version) for link in links]
        named = [version for version in versions if version.model.name == model]
        return max(named, key=lambda version: version.number, default=None)

    def create_version(
        self, registration: dict[str, Any], metadata: dict[str, Any], run: UUID | None
    ) -> ModelVersionResponse:
        """Creates a version.

        Args:
            registration: The `Model` settings: name, description, tags and so on.
            metadata: Metadata of the version.
            run: The run that trained it; the run and its outputs so far are linked to the version.
        """
        client = Client()
        model = Model(**registration)
        _create_model(client, model)
        version = client.get_model_version(model.name, model.id)
        if run is not None:
            # A promotion reads what it judges from these links.
            for step in client.get_pipeline_run(run).steps.values():
                for artifact in (each for output in step.outputs.values() for each in output):
                    self.link_artifact(version, artifact)
            self.link_run(version, run)
        model.log_metadata(metadata)
        return version

    def link_artifact(
        self, version: ModelVersionResponse, artifact: ArtifactVersionResponse
    ) -> None:
        """Links an artifact to a version."""
        link_artifact_to_model(artifact, Model(name=version.model.name, version=version.number))

    def link_run(self, version: ModelVersionResponse, run: UUID) -> None:
        """Links a run to a version."""
        Client().zen_store.create_model_version_pipeline_run_link(
            ModelVersionPipelineRunRequest(model_version=version.id, pipeline_run=run)
        )

    def log_metadata(self, version: ModelVersionResponse, metadata: dict[str, Any]) -> None:
        """Adds metadata to a version."""
        log_metadata(metadata=metadata, model_version_id=version.id)


def _create_model(client: Client, model: Model) -> None:
    """Creates a model that is not there yet.

    ZenML would do so by itself, but takes another whose name begins with this one's where there is
    one: the first version of "telco-churn" would become the fifth of "telco-churn-demo".
    """
    if client.list_models(name=f"equals:{model.name}").total:
        return
    with suppress(EntityExistsError):  # another run was faster
        client.create_model(
            name=model.name,
            license=model.license,
            description=model.description,
            audience=model.audience,
            use_cases=model.use_cases,
            limitations=model.limitations,
            trade_offs=model.trade_offs,
            ethics=model.ethics,
            save_models_to_registry=model.save_models_to_registry,
        )


def control_plane() -> ControlPlane:
    """Returns the control plane of the active ZenML client; connects on the first call of a method."""
    return ControlPlane()
