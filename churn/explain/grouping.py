"""Contributions told by the table's own columns, however a model came to them.

What an engineered column adds belongs to the columns it is computed from. Where these are several
they share it equally, as Shapley's symmetry has it for a joint effect, so that nothing is lost: a
row still sums to its log-odds less the base.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from churn.contract import DataContract
from churn.errors import InputError
from churn.features.encoding import Columns
from churn.features.feature_set import feature_set
from churn.models.candidate import FittedModel, Floats


@dataclass(frozen=True)
class Contributions:
    """What each column of the table adds to the base.

    Attributes:
        base: log-odds that contributions are told against: the mean over the training rows.
        columns: the table's columns that the model looks at, in file order.
        values: float64[n, columns], log-odds; a row sums to its log-odds less the base.
    """

    base: float
    columns: tuple[str, ...]
    values: Floats

    def of(self, column: str) -> Floats:
        """One column's contributions, float64[n].

        Raises:
            InputError: the model does not look at that column.
        """
        if column not in self.columns:
            raise InputError(
                f"The model does not look at column '{column}'; it looks at "
                f"{', '.join(self.columns)}."
            )
        return self.values[:, self.columns.index(column)]


@dataclass(frozen=True)
class Grouping:
    """Where the contributions of a model's features go.

    Attributes:
        columns: the table's columns that they go to, in file order.
        places: for each feature, the places among `columns` that share it.
    """

    columns: tuple[str, ...]
    places: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, features: Sequence[str], contract: DataContract) -> Grouping:
        """The grouping of a model's features under a contract.

        Raises:
            InputError: a feature is neither a column of the contract nor computed from some.
        """
        own = {column.name for column in contract.features}
        made = {bound.name: bound.reads for bound in feature_set(contract).formulas}
        unknown = [name for name in features if name not in own and name not in made]
        if unknown:
            raise InputError(
                f"Feature '{unknown[0]}' is neither a column of contract '{contract.name}' nor "
                "computed from its columns; explain the model under the contract it was trained "
                "with."
            )
        reads = [(name,) if name in own else made[name] for name in features]
        touched = {column for many in reads for column in many}
        columns = tuple(column.name for column in contract.features if column.name in touched)
        place = {name: number for number, name in enumerate(columns)}
        return cls(columns, tuple(tuple(place[name] for name in many) for many in reads))

    def __call__(self, parts: Floats) -> Floats:
        """Contributions by column, float64[n, columns], from those by feature."""
        grouped = np.zeros((len(parts), len(self.columns)))
        # Feature by feature, never as a matrix product: the same sum for a row alone and among many.
        for feature, places in enumerate(self.places):
            for place in places:
                grouped[:, place] += parts[:, feature] / len(places)
        return grouped


def contributions_by_column(
    model: FittedModel, columns: Columns, contract: DataContract
) -> Contributions:
    """What each column of the table adds to a model's base, exactly.

    Args:
        model: the model.
        columns: encoded columns of n customers.
        contract: the contract they were encoded by.

    Raises:
        InputError: a column is missing or holds what cannot be scored, or the model has a feature
            that the contract does not know.
    """
    grouping = Grouping.of(model.features, contract)
    return Contributions(model.base, grouping.columns, grouping(model.contributions(columns)))
