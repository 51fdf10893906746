"""Shallow trees for one customer at a time, without a branch: each tree's leaves are bits of a byte.

The branches of hundreds of small trees are hard for a processor to predict. Here each value of a column rules out leaves in all trees at once: one large whole number a column, looked
up and combined by "and"; of what is left in a tree, the leftmost leaf is where the customer ends
(Lucchese et al. 2015, QuickScorer, SIGIR, doi:10.1145/2766462.2767733). Leaves are added up tree by
tree, as LightGBM adds them, so the sum has its very bits.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import and_

import numpy as np

from churn.features.encoding import Floats
from churn.models.trees.tree_text import Tree

_LEAVES = 8
_AT_ONCE = 128  # their leaves stay in the processor's cache
_LEFTMOST = bytes([0, *((left & -left).bit_length() - 1 for left in range(1, 256))])


class LeafMasks:
    """Trees of at most eight leaves."""

    def __init__(self, trees: Sequence[Tree], features: int) -> None:
        """Takes the trees as `trees_in` finds them.

        Raises:
            ValueError: a tree has more leaves.
        """
        self._count = len(trees)
        self._values: Floats = np.zeros(self._count * _LEAVES)
        self._starts = np.arange(self._count, dtype=np.intp) * _LEAVES
        cuts: list[defaultdict[float, int]] = [defaultdict(int) for _ in range(features)]
        for place, tree in enumerate(trees):
            leaves = tree.values
            if not 0 < len(leaves) <= _LEAVES:
                raise ValueError(f"tree {place} has {len(leaves)} leaves, not one to {_LEAVES}")
            order: list[int] = []
            for feature, cut, leftwards in _splits(tree, order):
                cuts[feature][cut] |= leftwards << (place * _LEAVES)
            self._values[place * _LEAVES :][: len(leaves)] = [leaves[leaf] for leaf in order]
        whole = (1 << (self._count * _LEAVES)) - 1
        self._columns = tuple(
            (feature, sorted(found), _left_over(found, whole))
            for feature, found in enumerate(cuts)
            if found
        )
        self._whole = whole

    def logit(self, values: Sequence[float]) -> float:
        """One customer's log-odds.

        Args:
            values: the trees' columns, all finite.
        """
        left = self._whole
        for feature, cuts, masks in self._columns:
            left &= masks[bisect_left(cuts, values[feature])]
        leaves = np.frombuffer(left.to_bytes(self._count, "little").translate(_LEFTMOST), np.uint8)
        # Added in order, one after the other, as a sum that numpy takes in pairs would not be.
        total: float = np.add.accumulate(self._values.take(self._starts + leaves))[-1].item()
        return total

    def logits(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """Many customers' log-odds, each with the bits of its own `logit`.

        Args:
            rows: the trees' columns of each, all finite.
        """
        if len(rows) > _AT_ONCE:
            parts = (rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE))
            return [logit for part in parts for logit in self.logits(part)]
        found = []
        for values in rows:
            left = self._whole
            for feature, cuts, masks in self._columns:
                left &= masks[bisect_left(cuts, values[feature])]
            found.append(left.to_bytes(self._count, "little"))
        return self._added(found)

    def logits_changed(
        self,
        values: Sequence[float],
        changes: Sequence[Mapping[int, float]],
        places: Sequence[int],
    ) -> list[float]:
        """One customer's log-odds with some values changed, each with the bits of its own `logit`.

        Args:
            values: the customer's, all finite.
            changes: for each copy of the customer, the new values by their places.
            places: where the trees' columns are among the values.
        """
        touched = {place for change in changes for place in change}
        left, moving = self._whole, list[int]()
        movable: dict[int, tuple[int, list[float], list[int]]] = {}
        for feature, cuts, masks in self._columns:
            place = places[feature]
            mask = masks[bisect_left(cuts, values[place])]
            if place in touched:
                movable[place] = len(moving), cuts, masks
                moving.append(mask)
            else:
                left &= mask
        found = []
        for change in changes:
            own = moving[:]
            for place, value in change.items():
                if place in movable:  # or no tree looks at it
                    at, cuts, masks = movable[place]
                    own[at] = masks[bisect_left(cuts, value)]
            found.append(reduce(and_, own, left).to_bytes(self._count, "little"))
        return self._added(found)

    def _added(self, left: Sequence[bytes]) -> list[float]:
        """The leaves' sums of many customers, in the order of the trees."""
        leaves = np.frombuffer(b"".join(left).translate(_LEFTMOST), np.uint8)
        each = self._values.take(self._starts + leaves.reshape(len(left), self._count))
        if len(left) == 1:  # numpy would take the only column for a row, and its values in pairs
            return [np.add.accumulate(each[0])[-1].item()]
        # Down the trees, customers side by side: numpy adds those in order, and takes none in pairs.
        total: list[float] = np.add.reduce(np.ascontiguousarray(each.T), axis=0).tolist()
        return total


def _splits(tree: Tree, order: list[int]) -> Iterator[tuple[int, float, int]]:
    """Each split's column, its cut, and the leaves that a larger value rules out, as bits.

    Args:
        tree: the tree.
        order: is filled with the leaves from left to right; a leaf's bit is its place there.
    """

    def below(node: int) -> Iterator[tuple[int, float, int]]:
        if node < 0:
            order.append(~node)  # LightGBM counts leaves from -1 downwards
            return
        first = len(order)
        yield from below(tree.lefts[node])
        leftwards = (1 << len(order)) - (1 << first)
        yield tree.columns[node], tree.cuts[node], leftwards
        yield from below(tree.rights[node])

    return below(0 if tree.columns else -1)


def _left_over(cuts: dict[float, int], whole: int) -> list[int]:
    """What is left for a value above none of the cuts, above the first, above the first two ..."""
    left = [whole]
    for cut in sorted(cuts):
        left.append(left[-1] & ~cuts[cut])
    return left
