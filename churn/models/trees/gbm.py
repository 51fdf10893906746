"""Shallow gradient-boosted trees (LightGBM): what interactions there are, held in check."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from churn.contract import DataContract, Role
from churn.errors import InputError
from churn.features.encoding import Columns, Floats, row_count
from churn.features.feature_set import FeatureSet
from churn.models.candidate import Target
from churn.models.linear.regression import require_both_outcomes
from churn.models.recipe_inputs import RecipeInputs, require_finite
from churn.models.recipe_settings import GbmSettings
from churn.models.row_form import TreesForm
from churn.models.trees.native_trees import NativeTrees
from churn.models.trees.tree_check import require_trees
from churn.plain_files import read_json

_TREES = "trees.txt"
_COLUMNS = "columns.json"
_ROWS_AT_ONCE = 65_536  # bounds the memory of a large batch; rows do not see each other


@dataclass(frozen=True)
class GbmModel:
    """LightGBM trees over category codes and numbers.

    Attributes:
        features: columns of the trees, in their order.
        categories: how many codes each coded column has.
        base: mean log-odds of the training rows, by the trees' own leaf counts.
        trees: LightGBM's.
        engineered: formulas of the columns that are not in the table itself.
    """

    kind: ClassVar[str] = "gbm"
    exact: ClassVar[bool] = True
    additive: ClassVar[bool] = False

    features: tuple[str, ...]
    categories: dict[str, int]
    base: float
    trees: NativeTrees
    engineered: FeatureSet = field(default_factory=FeatureSet)

    @classmethod
    def from_text(
        cls,
        text: str,
        features: tuple[str, ...],
        categories: dict[str, int],
        engineered: FeatureSet,
    ) -> GbmModel:
        """The model that LightGBM's own text describes.

        Raises:
            ValueError: the text is not a LightGBM model, or one of other columns.
            BundleError: LightGBM is not installed.
        """
        trees = NativeTrees(text)
        # One row of zeros: the base is the same for every row.
        base = trees.library_contributions(np.zeros((1, len(features))))[0, -1]
        return cls(features, categories, float(base), trees, engineered)

    def logit(self, columns: Columns) -> Floats:
        """Log-odds of leaving, float64[n]."""
        score = np.empty(row_count(columns))
        for rows, matrix in self._matrices(columns):
            score[rows] = self.trees.logits(matrix)
        return score

    def contributions(self, columns: Columns) -> Floats:
        """Exact Shapley values of the trees, float64[n, features].

        Lundberg et al. 2020 (Nature Machine Intelligence 2:56-67), path-dependent TreeSHAP.
        """
        parts = np.empty((row_count(columns), len(self.features)), order="F")
        for rows, matrix in self._matrices(columns):
            parts[rows] = self.trees.contributions(matrix)
        return parts

    def row_form(self) -> TreesForm:
        """The trees and their columns."""
        return TreesForm(self.trees, self.features, self.engineered)

    def export(self, folder: Path) -> None:
        """Writes LightGBM's text and its columns."""
        content = {
            "features": list(self.features),
            "categories": self.categories,
            "engineered": self.engineered.as_json(),
        }
        (folder / _COLUMNS).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        (folder / _TREES).write_text(self.trees.text, encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> GbmModel:
        """The model that `export` wrote.

        Raises:
            OSError, ValueError, KeyError: a file or a part is missing, or not what it should be.
        """
        content = read_json(folder / _COLUMNS)
        text = (folder / _TREES).read_text(encoding="utf-8")
        require_trees(text)
        return cls.from_text(
            text,
            tuple(content["features"]),
            {str(name): int(count) for name, count in content["categories"].items()},
            FeatureSet.from_json(content["engineered"]),
        )

    def _matrices(self, columns: Columns) -> Iterator[tuple[slice, Floats]]:
        """The trees' columns side by side, as many rows at once as memory allows."""
        known = self.engineered.extend(columns)
        for start in range(0, row_count(columns), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            yield rows, feature_matrix(known, self.features, self.categories, rows)


@dataclass(frozen=True)
class GbmCandidate:
    """Shallow trees, monotone in tenure where the contract has one.

    Attributes:
        falling: columns along which the risk may only fall.
    """

    name: str
    settings: GbmSettings
    inputs: RecipeInputs
    falling: tuple[str, ...] = ()

    @classmethod
    def from_settings(
        cls, name: str, settings: GbmSettings, contract: DataContract
    ) -> GbmCandidate:
        """The recipe under a contract.

        Without a column of the role tenure there is nothing to be monotone in.
        """
        inputs = RecipeInputs.from_contract(contract, settings.features)
        falling: tuple[str, ...] = ()
        if settings.monotone_tenure:
            tenure = {column.name for column in contract.with_role(Role.TENURE)}
            falling = tuple(name for name in inputs.numbers if name in tenure)
            falling += tuple(
                bound.name
                for bound in inputs.engineered.formulas
                if bound.formula.steps and set(bound.reads) <= tenure
            )
        return cls(name, settings, inputs, falling)

    def fit(self, columns: Columns, target: Target) -> GbmModel:
        """Learns from n rows.

        Raises:
            InputError: a column is missing, a code unknown, or only one outcome occurs.
        """
        import lightgbm

        require_both_outcomes(target, self.name)
        matrix = self.matrix(columns)
        parameters = self.parameters(self.inputs.features)
        rows = lightgbm.Dataset(matrix, label=target, params=parameters, free_raw_data=True)
        booster = lightgbm.train(parameters, rows, num_boost_round=self.settings.trees)
        # Through its own text, so that the model in memory and the one read back are the same.
        inputs = self.inputs
        return GbmModel.from_text(
            booster.model_to_string(), inputs.features, inputs.categories, inputs.engineered
        )

    def matrix(self, columns: Columns) -> Floats:
        """The recipe's features of n rows side by side, float64[n, features]."""
        known = self.inputs.extend(columns)
        return feature_matrix(known, self.inputs.features, self.inputs.categories, slice(None))

    def parameters(self, features: tuple[str, ...]) -> dict[str, Any]:
        """LightGBM's parameters for trees over these columns."""
        chosen = self.settings
        return {
            "objective": "binary",
            "max_depth": chosen.depth,
            "num_leaves": 2**chosen.depth,
            "learning_rate": chosen.learning_rate,
            "min_data_in_leaf": chosen.minimum_leaf_rows,
            "lambda_l2": chosen.l2,
            "feature_fraction": chosen.column_share,
            "monotone_constraints": [-1 if name in self.falling else 0 for name in features],
            "seed": chosen.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }


def feature_matrix(
    columns: Columns, features: tuple[str, ...], categories: dict[str, int], rows: slice
) -> Floats:
    """Some rows of some columns side by side, float64[n, features].

    Raises:
        InputError: a column is missing, a code is none of its categories, or a number is NaN.
    """
    missing = [name for name in features if name not in columns]
    if missing:
        raise InputError(
            f"Column '{missing[0]}' is missing; the model was trained with it. Add it to the "
            "columns to be scored."
        )
    chosen = [columns[name][rows] for name in features]
    # Column by column in memory: it is filled so, and compiled trees read it so.
    matrix = np.empty((len(chosen[0]), len(features)), order="F")
    for place, (name, values) in enumerate(zip(features, chosen, strict=True)):
        if name in categories and len(values) and not _within(values, categories[name]):
            row = int(np.argmax((values < 0) | (values >= categories[name])))
            raise InputError(
                f"Column '{name}' row {(rows.start or 0) + row + 1}: code {values[row]} is none of "
                f"its {categories[name]} categories. Encode rows with the model's own contract."
            )
        matrix[:, place] = values
    floats = [name for name in features if columns[name].dtype.kind == "f"]
    require_finite({name: columns[name][rows] for name in floats}, floats)  # LightGBM scores NaN
    return matrix


def _within(codes: Any, categories: int) -> bool:
    return bool(codes.min() >= 0 and codes.max() < categories)
