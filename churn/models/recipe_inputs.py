"""What a recipe is fed under a contract: the table's feature columns and engineered ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from churn.contract import DataContract
from churn.errors import InputError
from churn.features.encoding import Columns
from churn.features.feature_set import FeatureSet, feature_set
from churn.features.groups import FeatureGroup


def require_finite(columns: Columns, names: Iterable[str]) -> None:
    """Names the first number that is none: a model would guess at it, or spread it.

    Raises:
        InputError: a column holds NaN or an infinity.
    """
    for name in names:
        bad = np.flatnonzero(~np.isfinite(columns[name]))
        if len(bad):
            raise InputError(
                f"Column '{name}' row {bad[0] + 1}: {columns[name][bad[0]]} is no number that can "
                "be scored. Parse the table by its contract, which fills or refuses blanks."
            )


@dataclass(frozen=True)
class RecipeInputs:
    """Columns of a recipe.

    Attributes:
        categories: coded columns -> how many categories each has, in file order.
        numbers: number columns of the table, in file order.
        engineered: formulas that the recipe names and the contract allows.
        order: all columns of the table, in file order.
    """

    categories: dict[str, int]
    numbers: tuple[str, ...]
    engineered: FeatureSet
    order: tuple[str, ...]

    @classmethod
    def from_contract(cls, contract: DataContract, groups: Sequence[FeatureGroup]) -> RecipeInputs:
        """The columns of a recipe that uses some groups of engineered columns.

        A formula whose roles the contract lacks is left out; `engineered.left_out` says so.
        """
        return cls(
            categories={column.name: len(column.categories) for column in contract.coded},
            numbers=tuple(column.name for column in contract.numbers),
            engineered=feature_set(contract, groups),
            order=tuple(column.name for column in contract.features),
        )

    @property
    def features(self) -> tuple[str, ...]:
        """All columns the recipe is fed: the table's, then the engineered ones."""
        return (*self.order, *self.engineered.names)

    def extend(self, columns: Columns) -> Columns:
        """All columns the recipe is fed.

        Raises:
            InputError: a column of the contract is missing.
        """
        for name in self.order:
            if name not in columns:
                raise InputError(
                    f"Column '{name}' is missing; the recipe was built for it. Encode the rows "
                    "with the recipe's own contract."
                )
        return self.engineered.extend(columns)

    def without_steps(self) -> FeatureSet:
        """The formulas except step functions of one number, which become part of its curve."""
        kept = tuple(bound for bound in self.engineered.formulas if not bound.formula.steps)
        return replace(self.engineered, formulas=kept)
