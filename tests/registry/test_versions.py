"""What training linked to a version is read back, also if its classes have moved since."""

from datetime import UTC, datetime
from types import SimpleNamespace

from zenml.utils import source_utils

from registry.versions import load_trained_version


class SavedArtifact:
    """An artifact as ZenML keeps it: with the module that its class was in when it was saved."""

    def __init__(self) -> None:
        self.body = SimpleNamespace(
            data_type="churn.gone.Dataset", materializer="gone.Materializer"
        )

    def get_body(self) -> SimpleNamespace:
        return self.body

    created = datetime(2026, 5, 4, 12, 30)  # noqa: DTZ001 - as ZenML gives it

    def load(self) -> type:
        kind = source_utils.load(self.body.data_type)
        assert kind in source_utils.load(self.body.materializer).ASSOCIATED_TYPES
        return kind


def test_an_artifact_is_loaded_as_todays_class():
    def artifact(name: str) -> SavedArtifact | None:
        return None if name == "model_card" else SavedArtifact()

    version = SimpleNamespace(name="7", get_artifact=artifact, run_metadata={"verdict": "promote"})

    trained = load_trained_version(version)

    assert trained.version == "7"
    assert (trained.verdict, trained.reasons) == ("promote", ())
    assert trained.model.__name__ == "TrainedModel"
    assert trained.customers.__name__ == "Dataset"
    assert trained.nested.__name__ == "ProtocolReport"
    assert trained.card is None
    assert trained.git_commit is None
    assert trained.trained_at == datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
