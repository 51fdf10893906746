"""LightGBM trees for one customer at a time, bit for bit the library's log-odds.

Shallow trees become masks of their leaves. What masks cannot do goes through the library's
single-row call; it has one buffer, so each thread has its own.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import numpy as np

from churn.features.encoding import Floats
from churn.models.trees.native_trees import NativeTrees
from churn.models.trees.tree_text import rows_around, trees_in
from churn.scoring.encoder import Values
from churn.scoring.fast.leaf_masks import LeafMasks

_PROBES = 256


class RowTrees:
    """Trees that score one customer, several, or changed copies of one."""

    def __init__(self, trees: NativeTrees) -> None:
        """Makes the masks, and compares them with the library's scores."""
        self._trees = trees
        self._threads = threading.local()
        self._masks = _verified_masks(trees)

    def logit(self, values: Values) -> float:
        """One customer's log-odds, bit for bit those among many.

        Args:
            values: the trees' columns, all finite.
        """
        if self._masks is not None:
            return self._masks.logit(values)
        try:
            call = self._threads.logit
        except AttributeError:
            call = self._threads.logit = self._trees.single_row_logit()
        result: float = call(values)[0]
        return result

    def logits(self, rows: Sequence[Values]) -> list[float]:
        """Log-odds of several customers, each with the bits of its own `logit`.

        Args:
            rows: the trees' columns of each, all finite.
        """
        if self._masks is not None and rows:
            return self._masks.logits(rows)
        return self._library_logits(rows)

    def logits_changed(
        self,
        values: Values,
        changes: Sequence[Mapping[int, float]],
        places: Sequence[int],
    ) -> list[float]:
        """Log-odds of one customer with some values changed, each with the bits of its own `logit`.

        Args:
            values: the customer's, all finite.
            changes: for each copy of the customer, the new values by their places.
            places: where the trees' columns are among the values.
        """
        if self._masks is not None and changes:
            return self._masks.logits_changed(values, changes, places)
        return self._library_logits(
            [[change.get(place, values[place]) for place in places] for change in changes]
        )

    def contributions(self, values: Values) -> list[float]:
        """One customer's Shapley values, with the bits that they have among many.

        Args:
            values: the trees' columns, all finite.
        """
        if self._trees.tables is not None:
            return self._trees.tables.one(values)
        try:
            call = self._threads.contributions
        except AttributeError:
            call = self._threads.contributions = self._trees.single_row_contributions()
        return list(call(values)[:-1])

    def _library_logits(self, rows: Sequence[Values]) -> list[float]:
        matrix: Floats = np.array(rows, dtype=np.float64).reshape(len(rows), self._trees.features)
        logits: list[float] = self._trees.logits(matrix).tolist()
        return logits


def _verified_masks(trees: NativeTrees) -> LeafMasks | None:
    """The trees as masks, if they can be made and give the library's very bits."""
    try:
        read = trees_in(trees.text)
        masks = LeafMasks(read, trees.features)
    except (ValueError, KeyError, IndexError):  # deeper trees, or another release's text
        return None
    probes = rows_around(read, trees.features, _PROBES)
    expected = trees.logits(probes).tolist()
    first, *others = probes.tolist()
    alone = [masks.logit(row) for row in (first, *others)]
    together = masks.logits([first, *others])
    changes = [dict(enumerate(row)) for row in others]
    changed = masks.logits_changed(first, changes, range(trees.features))
    return masks if alone == together == expected and changed == expected[1:] else None
