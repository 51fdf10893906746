"""A bundle's model folder as a model that scores: native files, and trees without lightgbm's cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np

from churn.checksums import verify
from churn.features.feature_set import FeatureSet
from churn.models import model_store as store
from churn.models.blend import BlendModel
from churn.models.candidate import FittedModel
from churn.models.trees.gbm import GbmModel
from churn.scoring.fast.trees import NativeTrees


def read_model(folder: Path) -> FittedModel:
    """The model that `churn.models.model_store.save_model` wrote.

    Raises:
        InputError: the folder holds no finished model, or a corrupt one.
        OSError, KeyError, TypeError, ValueError: a file is not what it should be.
    """
    return _read(verify(folder, store.KINDS), folder)


def _read(kind: str, folder: Path) -> FittedModel:
    if kind == GbmModel.kind:
        return _trees(folder)
    if kind == BlendModel.kind:
        return BlendModel.read(folder, _read)
    return store._read(kind, folder)


def _trees(folder: Path) -> GbmModel:
    content = json.loads((folder / "columns.json").read_text(encoding="utf-8"))
    features = tuple(content["features"])
    trees = NativeTrees((folder / "trees.txt").read_text(encoding="utf-8"))
    # One row of zeros: the base is the same for every row.
    base = trees.predict(np.zeros((1, len(features))), pred_contrib=True)[0, -1]
    return GbmModel(
        features=features,
        categories={str(name): int(count) for name, count in content["categories"].items()},
        base=float(base),
        booster=cast(Any, trees),  # answers `predict` as the model asks it
        engineered=FeatureSet.from_json(content["engineered"]),
    )
