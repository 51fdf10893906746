"""Contributions by the table's own columns, whichever features a model has.

What an engineered column adds belongs to the columns it is computed from. If these are several
they share it equally, as Shapley's symmetry requires for a joint effect, so that nothing is lost: a
row still sums to its log-odds less the base.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from churn.contract import DataContract
from churn.errors import InputError
from churn.features.encoding import Columns, Floats
from churn.features.feature_set import FORMULAS
from churn.features.formula import BoundFormula
from churn.models.candidate import FittedModel

Part = TypeVar("Part", float, Floats)
"""A contribution of one customer, or those of n."""


@dataclass(frozen=True)
class Contributions:
    """What each column of the table adds to the base.

    Attributes:
        base: mean log-odds of the training rows, to which contributions are added.
        columns: the table's columns that the model uses, in file order.
        values: float64[n, columns], log-odds; a row sums to its log-odds less the base.
    """

    base: float
    columns: tuple[str, ...]
    values: Floats

    def column(self, name: str) -> Floats:
        """One column's contributions, float64[n].

        Raises:
            InputError: the model does not use that column.
        """
        if name not in self.columns:
            raise InputError(
                f"The model does not look at column '{name}'; it looks at "
                f"{', '.join(self.columns)}."
            )
        return self.values[:, self.columns.index(name)]


@dataclass(frozen=True)
class Grouping:
    """Which columns of the table the contributions of a model's features go to.

    Attributes:
        columns: the table's columns, in file order.
        places: for each feature, the places among `columns` that share it.
    """

    columns: tuple[str, ...]
    places: tuple[tuple[int, ...], ...]

    @classmethod
    def from_features(cls, features: Sequence[str], contract: DataContract) -> Grouping:
        """The grouping of a model's features under a contract.

        Raises:
            InputError: a feature is neither a column of the contract nor computed from some.
        """
        own = {column.name for column in contract.features}
        engineered = [name for name in features if name in FORMULAS and name not in own]
        bound = [FORMULAS[name].bind(contract) for name in engineered]
        made = {each.name: each.reads for each in bound if isinstance(each, BoundFormula)}
        unknown = [name for name in features if name not in own and name not in made]
        if unknown:
            raise InputError(
                f"Feature '{unknown[0]}' is neither a column of contract '{contract.name}' nor "
                "computed from its columns; explain the model under the contract it was trained "
                "with."
            )
        reads = [(name,) if name in own else made[name] for name in features]
        used = {column for many in reads for column in many}
        columns = tuple(column.name for column in contract.features if column.name in used)
        place = {name: number for number, name in enumerate(columns)}
        return cls(columns, tuple(tuple(place[name] for name in many) for many in reads))

    def group(self, parts: Iterable[Part]) -> list[Part]:
        """Contributions by column, from those by feature.

        Args:
            parts: for each feature, what it adds for one customer, or float64[n] for n of them.
        """
        grouped: list[Part] = [0.0] * len(self.columns)  # type: ignore[list-item]
        # Feature by feature, never as a matrix product: the same sum for a row alone and among many.
        for part, places in zip(parts, self.places, strict=True):
            for place in places:
                grouped[place] = grouped[place] + part / len(places)
        return grouped


def contributions_by_column(
    model: FittedModel, columns: Columns, contract: DataContract
) -> Contributions:
    """What each column of the table adds to a model's base, exactly.

    Raises:
        InputError: a column is missing or holds what cannot be scored, or the model has a feature
            that the contract does not know.
    """
    grouping = Grouping.from_features(model.features, contract)
    grouped = grouping.group(model.contributions(columns).T)
    return Contributions(model.base, grouping.columns, np.stack(grouped, axis=1))
