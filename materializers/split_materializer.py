"""The split of rows as an artifact: two arrays in one npz file, no pickle."""

from typing import Any

import numpy as np
from zenml.enums import ArtifactType

from churn.data.split import Split
from materializers.folder_materializer import FolderMaterializer, json_digest

_FILE = "split.npz"


class SplitMaterializer(FolderMaterializer):
    """Stores which rows stand on which side."""

    ASSOCIATED_TYPES = (Split,)
    ASSOCIATED_ARTIFACT_TYPE = ArtifactType.DATA

    def save(self, data: Split) -> None:
        """Writes both sides' positions."""
        with self.output_folder() as folder:
            np.savez_compressed(folder / _FILE, development=data.development, gate=data.gate)

    def load(self, data_type: type[Any]) -> Split:  # noqa: ARG002 - ZenML's signature
        """Reads both sides' positions."""
        with self.input_folder() as folder, np.load(folder / _FILE, allow_pickle=False) as arrays:
            return Split(development=arrays["development"], gate=arrays["gate"])

    def extract_metadata(self, data: Split) -> dict[str, Any]:
        """How many rows stand on which side."""
        return {
            "development_rows": len(data.development),
            "gate_rows": len(data.gate),
            "gate_share": round(len(data.gate) / data.rows, 4),
        }

    def compute_content_hash(self, data: Split) -> str:
        """Equal splits are equal artifacts."""
        return json_digest([data.development.tolist(), data.gate.tolist()])
