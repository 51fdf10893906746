"""Trained models as artifacts: native files under checksums, and a picture of what moves them."""

import tempfile
from pathlib import Path
from typing import Any

from zenml.enums import ArtifactType

from churn.checksums import content_digest
from churn.models.trained import TrainedModel
from churn.reports.charts.chart_style import as_png
from churn.reports.charts.importance_chart import importance_chart
from materializers.folder_materializer import FolderMaterializer

_MODEL = "trained_model"
_CHART = "importance.png"


class ModelMaterializer(FolderMaterializer):
    """Stores a trained model in its own files; what is loaded scores as what was saved."""

    ASSOCIATED_TYPES = (TrainedModel,)
    ASSOCIATED_ARTIFACT_TYPE = ArtifactType.MODEL

    def save(self, data: TrainedModel) -> None:
        """Writes the model's folder."""
        with self.output_folder() as folder:
            data.save(folder / _MODEL)

    def load(self, data_type: type[Any]) -> TrainedModel:  # noqa: ARG002 - ZenML's signature
        """Verifies the folder and reads the model back."""
        with self.input_folder() as folder:
            return TrainedModel.load(folder / _MODEL)

    def draw(self, data: TrainedModel) -> dict[str, bytes]:
        """How far each column moves the scores."""
        return {_CHART: as_png(importance_chart(data.recipe, data.importance))}

    def extract_metadata(self, data: TrainedModel) -> dict[str, Any]:
        """Recipe, size and origin."""
        return {
            "recipe": data.recipe,
            "rows": data.rows,
            "data_sha256": data.data_sha256,
            "features": len(data.model.features),
            "strongest_feature": max(data.importance, key=data.importance.__getitem__),
        }

    def compute_content_hash(self, data: TrainedModel) -> str:
        """Equal files are equal artifacts: the manifest has the SHA-256 of each."""
        with tempfile.TemporaryDirectory() as folder:
            data.save(Path(folder) / _MODEL)
            return content_digest(Path(folder) / _MODEL)
