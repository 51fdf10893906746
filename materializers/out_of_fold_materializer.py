"""Out-of-fold scores as an artifact: arrays in one npz file beside the plan, no pickle."""

from typing import Any

import numpy as np
from zenml.enums import ArtifactType

from churn.evaluation.cross_validation import Fold, OutOfFold
from churn.evaluation.plan import ProtocolPlan
from materializers.folder_materializer import FolderMaterializer, json_digest

_ARRAYS = "scores.npz"
_PLAN = "plan.json"


class OutOfFoldMaterializer(FolderMaterializer):
    """Stores every candidate's scores of rows that its fits had not seen."""

    ASSOCIATED_TYPES = (OutOfFold,)
    ASSOCIATED_ARTIFACT_TYPE = ArtifactType.DATA

    def save(self, data: OutOfFold) -> None:
        """Writes plan, outcomes, and each split's rows and log-odds."""
        with self.output_folder() as folder:
            (folder / _PLAN).write_text(data.plan.model_dump_json(), encoding="utf-8")
            np.savez_compressed(folder / _ARRAYS, **_arrays(data))

    def load(self, data_type: type[Any]) -> OutOfFold:  # noqa: ARG002 - ZenML's signature
        """Reads them back."""
        with self.input_folder() as folder, np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
            plan = ProtocolPlan.model_validate_json((folder / _PLAN).read_text(encoding="utf-8"))
            names = [str(name) for name in arrays["names"]]
            folds = tuple(
                Fold(
                    rows=arrays[f"rows_{split}"],
                    logits=dict(zip(names, arrays[f"logits_{split}"], strict=True)),
                )
                for split in range(plan.splits)
            )
            return OutOfFold(plan=plan, target=arrays["target"], folds=folds)

    def extract_metadata(self, data: OutOfFold) -> dict[str, Any]:
        """How much was scored."""
        return {
            "rows": len(data.target),
            "splits": data.plan.splits,
            "candidates": list(data.folds[0].logits),
        }

    def compute_content_hash(self, data: OutOfFold) -> str:
        """Equal scores are equal artifacts."""
        arrays = {name: values.tolist() for name, values in _arrays(data).items()}
        return json_digest([data.plan.model_dump(mode="json"), arrays])


def _arrays(data: OutOfFold) -> dict[str, Any]:
    names = list(data.folds[0].logits)
    arrays: dict[str, Any] = {"names": np.array(names), "target": data.target}
    for split, fold in enumerate(data.folds):
        arrays[f"rows_{split}"] = fold.rows
        arrays[f"logits_{split}"] = np.stack([fold.logits[name] for name in names])
    return arrays
