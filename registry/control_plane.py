"""ZenML's Model Control Plane, as far as steps ask it or tell it something.

Steps get theirs from `control_plane()`, so that a unit test can hand them another.
"""

from typing import Any
from uuid import UUID

from zenml import Model, link_artifact_to_model, log_metadata
from zenml.client import Client
from zenml.enums import ModelStages
from zenml.models import (
    ArtifactVersionResponse,
    ModelVersionPipelineRunRequest,
    ModelVersionResponse,
)


class ControlPlane:
    """Models, their versions, and what belongs to each."""

    def find(self, model: str, version: str | ModelStages) -> ModelVersionResponse | None:
        """A version by its number or stage; None where there is none."""
        try:
            return Client().get_model_version(model, version)
        except KeyError:
            return None

    def newest_with(self, artifact: UUID, model: str) -> ModelVersionResponse | None:
        """The newest version of a model that an artifact belongs to; None where there is none."""
        client = Client()
        links = client.list_model_version_artifact_links(artifact_version_id=artifact)
        versions = [client.zen_store.get_model_version(link.model_version) for link in links]
        named = [version for version in versions if version.model.name == model]
        return max(named, key=lambda version: version.number, default=None)

    def create(
        self, registration: dict[str, Any], metadata: dict[str, Any], run: UUID | None
    ) -> ModelVersionResponse:
        """Makes a version.

        Args:
            registration: The `Model` settings: name, description, tags and so on.
            metadata: What is to be remembered of it.
            run: The run that trained it; it and all that it made so far belong to the version.
        """
        client = Client()
        model = Model(**registration)
        version = client.get_model_version(model.name, model.id)
        if run is not None:
            # Everything the run made so far belongs to the version: a promotion judges it by that.
            for done in client.get_pipeline_run(run).steps.values():
                for each in (made for made_as in done.outputs.values() for made in made_as):
                    self.add_artifact(version, each)
            self.add_run(version, run)
        model.log_metadata(metadata)
        return version

    def add_artifact(
        self, version: ModelVersionResponse, artifact: ArtifactVersionResponse
    ) -> None:
        """An artifact belongs to a version from now on."""
        link_artifact_to_model(artifact, Model(name=version.model.name, version=version.number))

    def add_run(self, version: ModelVersionResponse, run: UUID) -> None:
        """A run belongs to a version from now on."""
        Client().zen_store.create_model_version_pipeline_run_link(
            ModelVersionPipelineRunRequest(model_version=version.id, pipeline_run=run)
        )

    def note(self, version: ModelVersionResponse, metadata: dict[str, Any]) -> None:
        """A version remembers something more."""
        log_metadata(metadata=metadata, model_version_id=version.id)


def control_plane() -> ControlPlane:
    """The one that the step talks to; nothing is asked before something is asked of it."""
    return ControlPlane()
