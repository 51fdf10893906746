"""A trained model and everything needed to score with it and to know where it came from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import ValidationError

from churn.checksums import create_model_folder, verify_checksums, write_checksums
from churn.contract import DataContract
from churn.errors import InputError, error_reason
from churn.features.encoding import Columns, Floats, row_count
from churn.models.candidate import Candidate, FittedModel, Target
from churn.models.model_store import load_model, save_model
from churn.models.recalibrated import LogitMap, recalibration_of
from churn.models.recipe_settings import RecipeSettings

_FILE = "trained.json"
_MODEL = "model"
_IMPORTANCE_ROWS = 2000  # Shapley values of trees take their time; a mean needs no more rows


@dataclass(frozen=True)
class TrainedModel:
    """A model, its contract, its data and its recipe.

    Attributes:
        recipe: name of the recipe.
        model: what it became.
        contract: what the columns mean; rows to be scored are encoded by it.
        data_sha256: SHA-256 of the source that the training rows came from.
        rows: how many rows it was trained on.
        settings: the recipe's settings, as JSON values.
        importance: feature -> mean absolute contribution in log-odds, over training rows taken
            at even steps, 2,000 at most.
    """

    kind: ClassVar[str] = "trained"

    recipe: str
    model: FittedModel
    contract: DataContract
    data_sha256: str
    rows: int
    settings: dict[str, Any]
    importance: dict[str, float]

    @classmethod
    def train(
        cls,
        candidate: Candidate,
        columns: Columns,
        target: Target,
        *,
        contract: DataContract,
        data_sha256: str,
        settings: RecipeSettings,
    ) -> TrainedModel:
        """Fits a candidate on n rows and notes where the model comes from.

        Raises:
            InputError: the candidate cannot learn from the rows.
        """
        model = candidate.fit(columns, target)
        every = -(-row_count(columns) // _IMPORTANCE_ROWS)
        some = {name: values[::every] for name, values in columns.items()}
        strength = np.abs(model.contributions(some)).mean(axis=0)
        return cls(
            recipe=candidate.name,
            model=model,
            contract=contract,
            data_sha256=data_sha256,
            rows=row_count(columns),
            settings=settings.model_dump(mode="json"),
            importance=dict(zip(model.features, map(float, strength), strict=True)),
        )

    @property
    def recalibration(self) -> LogitMap:
        """The recalibration that is part of the model."""
        return recalibration_of(self.model)

    def logit(self, columns: Columns) -> Floats:
        """Log-odds of leaving, float64[n]; errors as of `FittedModel.logit`."""
        return self.model.logit(columns)

    def probability(self, columns: Columns) -> Floats:
        """Probability of leaving, float64[n]; errors as of `FittedModel.logit`."""
        from scipy.special import expit

        probability: Floats = expit(self.model.logit(columns))
        return probability

    def save(self, folder: Path) -> None:
        """Writes the model into a folder that holds none yet.

        Raises:
            InputError: it already holds one.
        """
        create_model_folder(folder)
        save_model(self.model, folder / _MODEL)
        content = {
            "recipe": self.recipe,
            "data_sha256": self.data_sha256,
            "rows": self.rows,
            "settings": self.settings,
            "importance": self.importance,
            "contract": self.contract.model_dump(mode="json"),
        }
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (folder / _FILE).write_text(text, encoding="utf-8")
        inner = [path for path in (folder / _MODEL).rglob("*") if path.is_file()]
        write_checksums(folder, self.kind, [folder / _FILE, *inner])

    @classmethod
    def load(cls, folder: Path) -> TrainedModel:
        """Verifies and reads a trained model.

        Raises:
            InputError: the folder holds no finished model, or one of another version or corrupt.
        """
        verify_checksums(folder, (cls.kind,))
        model = load_model(folder / _MODEL)
        try:
            content = json.loads((folder / _FILE).read_text(encoding="utf-8"))
            return cls(
                recipe=str(content["recipe"]),
                model=model,
                contract=DataContract.model_validate(content["contract"]),
                data_sha256=str(content["data_sha256"]),
                rows=int(content["rows"]),
                settings=dict(content["settings"]),
                importance=dict(content["importance"]),
            )
        except (OSError, KeyError, TypeError, ValueError, ValidationError) as error:
            raise InputError(
                f"The trained model in {folder} cannot be read: {error_reason(error)}. Restore the "
                "folder from where it was copied, or train anew."
            ) from None
