"""What a column may be given the columns before it: the leaves of a decision tree, as in synthpop's CART.

A leaf holds at least `_LEAF_ROWS` customers, and a split must pay for itself, so that trees learn what
columns have to do with each other and not who the customers are (Nowok, Raab & Dibben 2016, Journal of
Statistical Software 74:11). A number is drawn between two neighbouring values of its leaf, not from
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.features.encoding import Floats

Matrix = NDArray[np.float32]

_LEAF_ROWS = 20
_DEEPEST = 12
_GAIN = 10.0
"""Twice the log-likelihood that a split must add; noise adds up to about this, as the best of many splits."""


@dataclass(frozen=True, eq=False)
class CategoryDraws:
    """A category given the columns before it.

    Attributes:
        tree: scikit-learn's tree of the columns before.
        cumulative: shares of the categories in each node, added up; float64[nodes, categories].
    """

    tree: Any
    cumulative: Floats

    @classmethod
    def learn(cls, before: Matrix, codes: NDArray[Any], categories: int) -> CategoryDraws:
        """Learns from n customers: their columns before, float32[n, columns], and their codes."""
        from sklearn.tree import DecisionTreeClassifier

        pruning = _GAIN / (2 * len(codes) * np.log(2))  # scikit-learn's entropy is in bits
        tree = DecisionTreeClassifier(criterion="entropy", ccp_alpha=pruning, **_limits())
        fitted = tree.fit(before, codes).tree_
        counts = np.zeros((fitted.node_count, categories))
        np.add.at(counts, (fitted.apply(before), codes), 1.0)
        counts /= np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
        return cls(fitted, np.cumsum(counts, axis=1))

    def draw(self, before: Matrix, uniform: Floats) -> NDArray[np.int8]:
        """One code a row, int8[n], by its number between 0 and 1."""
        shares = self.cumulative[self.tree.apply(before), :-1]
        codes: NDArray[np.int8] = (uniform[:, None] > shares).sum(axis=1, dtype=np.int8)
        return codes


@dataclass(frozen=True, eq=False)
class NumberDraws:
    """A number given the columns before it.

    Attributes:
        tree: scikit-learn's tree of the columns before.
        values: the numbers of all leaves, each leaf's together and ascending.
        first: where each node's begin.
        count: how many each node has.
    """

    tree: Any
    values: Floats
    first: NDArray[np.int64]
    count: NDArray[np.int64]

    @classmethod
    def learn(cls, before: Matrix, values: Floats) -> NumberDraws:
        """Learns from n customers: their columns before, float32[n, columns], and their numbers."""
        from sklearn.tree import DecisionTreeRegressor

        tree = DecisionTreeRegressor(ccp_alpha=_GAIN / (2 * len(values)), **_limits())
        fitted = tree.fit(before, _place_and_spread(values)).tree_
        leaves = fitted.apply(before)
        count = np.bincount(leaves, minlength=fitted.node_count)
        return cls(fitted, values[np.lexsort((values, leaves))], np.cumsum(count) - count, count)

    def draw(self, before: Matrix, uniform: Floats) -> Floats:
        """One number a row, float64[n]: the leaf's quantile function, straight between its values.

        Where a value occurs often, as a zero may, neighbours are equal and it stays as frequent.
        """
        leaves = self.tree.apply(before)
        first, last = self.first[leaves], self.count[leaves] - 1
        place = np.clip(uniform * (last + 1) - 0.5, 0, last)
        lower = place.astype(np.int64)
        share = place - lower
        upper = np.minimum(lower + 1, last)
        drawn: Floats = (
            self.values[first + lower] * (1 - share) + self.values[first + upper] * share
        )
        return drawn


def _limits() -> dict[str, Any]:
    return {"min_samples_leaf": _LEAF_ROWS, "max_depth": _DEEPEST, "random_state": 0}


def _place_and_spread(values: Floats) -> Floats:
    """Ranks, and how far each is from the middle: splits find where numbers lie and how they scatter."""
    from scipy.stats import rankdata

    rank = rankdata(values) / len(values)
    both = np.column_stack([rank, np.abs(rank - 0.5)])
    spread = both.std(axis=0)
    scaled: Floats = (both - both.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return scaled
