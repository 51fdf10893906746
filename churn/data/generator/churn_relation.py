"""Who leaves, given the columns: the probability that generated outcomes are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from churn.contract import CodedColumn, DataContract, NumberColumn
from churn.errors import InputError
from churn.features.encoding import Columns, Floats, row_count, take
from churn.models.candidate import Target
from churn.models.recalibrated import LogitMap
from churn.models.recipe_settings import GbmSettings
from churn.models.trees.gbm import GbmCandidate, GbmModel

# Deeper than the recipe that is served: it must hold every interaction that a model may look for.
_RECIPE = GbmSettings(
    trees=400, depth=5, minimum_leaf_rows=20, column_share=0.7, monotone_tenure=False
)
_FOLDS = 3
_EXPLAINED_ROWS = 2000


@dataclass(frozen=True, eq=False)
class ChurnRelation:
    """The churn model of the snapshot, calibrated on rows that its folds had not seen.

    Attributes:
        model: boosted trees.
        calibration: the line on their log-odds.
        columns: the snapshot's features.
        target: its outcomes.
    """

    model: GbmModel
    calibration: LogitMap
    columns: Columns
    target: Target

    @classmethod
    def learn(cls, columns: Columns, target: Target, contract: DataContract) -> ChurnRelation:
        """Learns from n customers.

        Raises:
            InputError: there are too few of one outcome.
        """
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import StratifiedKFold

        if np.bincount(target, minlength=2).min() < _FOLDS:
            raise InputError(
                f"The snapshot of contract '{contract.name}' has fewer than {_FOLDS} customers of one "
                "outcome, too few to generate others from. Name a larger snapshot in the contract."
            )
        candidate = GbmCandidate.from_settings("generator", _RECIPE, contract)
        unseen = np.zeros(len(target))
        folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
        for seen, rest in folds.split(target, target):
            fold = candidate.fit(take(columns, seen), target[seen])
            unseen[rest] = fold.logit(take(columns, rest))
        line = LogisticRegression(penalty=None).fit(unseen[:, None], target)
        slope = float(np.clip(line.coef_[0, 0], 0.1, 10.0))
        calibration = LogitMap(slope=slope, intercept=float(line.intercept_[0]))
        return cls(candidate.fit(columns, target), calibration, columns, target)

    def probability(self, columns: Columns) -> Floats:
        """The probability that each customer leaves, float64[n]."""
        found: Floats = expit(self.calibration.apply(self.model.logit(columns)))
        return found

    def at_rate_of_snapshot(self, drawn: Columns) -> ChurnRelation:
        """The same relation, shifted so that as many of these customers leave as of the snapshot's."""
        logit, rate = self.model.logit(drawn), float(self.target.mean())
        slope = self.calibration.slope
        intercept = brentq(lambda shift: float(expit(slope * logit + shift).mean()) - rate, -30, 30)
        return replace(self, calibration=LogitMap(slope=slope, intercept=float(intercept)))

    @cached_property
    def strongest(self) -> str:
        """The column that moves the log-odds most, on average over the snapshot."""
        first = slice(0, min(row_count(self.columns), _EXPLAINED_ROWS))
        sample = {name: values[first] for name, values in self.columns.items()}
        moved = np.abs(self.model.contributions(sample)).mean(axis=0)
        return self.model.features[int(np.argmax(moved))]

    def reversed_values(self, column: CodedColumn | NumberColumn, values: Floats) -> Floats:
        """A column's values in reverse: the riskiest category becomes the safest, the highest the lowest number."""
        seen = self.columns[column.name]
        if isinstance(column, NumberColumn):
            ascending = np.sort(seen)
            below = np.searchsorted(ascending, values, side="left")
            among = np.searchsorted(ascending, values, side="right")
            place = np.clip((below + among) // 2, 0, len(ascending) - 1)
            backwards: Floats = ascending[::-1][place]
            return backwards
        codes = range(len(column.categories))
        rates = [
            self.target[seen == code].mean() if (seen == code).any() else 0.0 for code in codes
        ]
        order = np.argsort(rates, kind="stable")
        other = np.empty_like(order)
        other[order] = order[::-1]
        swapped: Floats = other[values].astype(np.int8)
        return swapped
