"""Shallow trees over whole columns, compiled by numba: the library's very bits for a fortieth of its time.

The branches of hundreds of small trees are hard for a processor to predict. Here a tree is complete:
seven splits and eight leaves, each leaf chosen by comparisons without a branch, many customers side by
side. Trees are added up in order, as LightGBM adds them. The code is compiled once a process, in about
a second, so it is for many rows; numba is in the extra `batch` and imported only here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from churn.features.encoding import Floats
from churn.models.trees.tree_contributions import TreeContributions
from churn.models.trees.tree_text import Tree

_SPLITS = 7
_AT_ONCE = 256  # their values of a column stay in the processor's fastest cache


class CompiledTrees:
    """Trees of at most three levels, split by numbers: their log-odds."""

    def __init__(self, trees: Sequence[Tree]) -> None:
        """Completes the trees, as `trees_in` finds them, and compiles what adds them up.

        Raises:
            ValueError: a tree has more levels.
            ImportError: numba is not installed, or does not fit what is.
        """
        self._add = _compiled_leaves()
        self._columns = np.zeros((len(trees), _SPLITS), dtype=np.int64)
        self._cuts = np.full((len(trees), _SPLITS), np.inf)
        self._leaves = np.empty((len(trees), _SPLITS + 1))
        for place, tree in enumerate(trees):
            self._complete(place, tree, 0, 0 if tree.columns else -1)

    def __call__(self, matrix: Floats) -> Floats:
        """Log-odds float64[n] of n customers, from float64[n, features] without NaN."""
        total = np.zeros(len(matrix))
        # Free where the matrix lies in memory column by column.
        columns = np.ascontiguousarray(matrix.T)
        self._add(columns, self._columns, self._cuts, self._leaves, total)
        return total

    def _complete(self, place: int, tree: Tree, at: int, node: int) -> None:
        """Puts a node at its place; a leaf above the last level stands below both ways of a split."""
        if at >= _SPLITS:
            if node >= 0:
                raise ValueError(f"tree {place} has more than three levels")
            self._leaves[place, at - _SPLITS] = tree.values[~node]
            return
        left = right = node
        if node >= 0:
            self._columns[place, at], self._cuts[place, at] = tree.columns[node], tree.cuts[node]
            left, right = tree.lefts[node], tree.rights[node]
        self._complete(place, tree, 2 * at + 1, left)
        self._complete(place, tree, 2 * at + 2, right)


class CompiledContributions:
    """Trees of at most seven splits by numbers: their Shapley values, with the bits of the tables'."""

    def __init__(self, trees: Sequence[Tree], tables: TreeContributions) -> None:
        """Takes the trees as `trees_in` finds them, and compiles what looks their tables up.

        Raises:
            ImportError: numba is not installed, or does not fit what is.
        """
        self._add = _compiled_tables()
        # By the trees' own numbers of their splits, as the tables' patterns count them.
        self._columns = np.zeros((len(trees), _SPLITS), dtype=np.int64)
        self._cuts = np.full((len(trees), _SPLITS), np.inf)  # never exceeded: the bit is never set
        for place, tree in enumerate(trees):
            self._columns[place, : len(tree.columns)] = tree.columns
            self._cuts[place, : len(tree.cuts)] = tree.cuts
        self._slots, self._table = tables.by_slot()

    def __call__(self, matrix: Floats) -> Floats:
        """Shapley values float64[n, features] of n customers, from as many values without NaN."""
        total = np.zeros(matrix.shape[::-1])
        columns = np.ascontiguousarray(matrix.T)
        self._add(columns, self._columns, self._cuts, self._slots, self._table, total)
        return total.T


@cache
def _compiled_leaves() -> Callable[..., None]:
    """`_add_leaves` in machine code.

    Not cached on disk: that would save less than half of the second, and leave pickled code beside
    the source, where an image or an installation may not be written to.
    """
    import numba

    numbers, places = numba.float64[:, ::1], numba.int64[:, ::1]
    signature = numba.void(numbers, places, numbers, numbers, numba.float64[::1])
    return numba.njit(signature, nogil=True)(_add_leaves)


@cache
def _compiled_tables() -> Callable[..., None]:
    """`_add_contributions` in machine code."""
    import numba

    numbers, places = numba.float64[:, ::1], numba.int64[:, ::1]
    signature = numba.void(numbers, places, numbers, places, numba.float64[:, :, ::1], numbers)
    return numba.njit(signature, nogil=True)(_add_contributions)


# The two loops are plain Python to a reader and to the tests; the ranges of a block are slices, so that
# the compiler knows that they do not overlap, and the inner loops have no branch.
# fmt: off


def _add_leaves(rows: Any, columns: Any, cuts: Any, leaves: Any, total: Any) -> None:
    """Adds every tree's leaf to every customer's total.

    Args:
        rows: float64[features, n].
        columns: int64[trees, 7], of a complete tree's splits from its root down.
        cuts: float64[trees, 7].
        leaves: float64[trees, 8], from left to right.
        total: float64[n].
    """
    for start in range(0, len(total), _AT_ONCE):
        some = slice(start, min(start + _AT_ONCE, len(total)))
        sums = total[some]
        for tree in range(len(columns)):
            at, cut, leaf = columns[tree], cuts[tree], leaves[tree]
            x0, x1, x2, x3 = rows[at[0], some], rows[at[1], some], rows[at[2], some], rows[at[3], some]
            x4, x5, x6 = rows[at[4], some], rows[at[5], some], rows[at[6], some]
            c0, c1, c2, c3, c4, c5, c6 = cut[0], cut[1], cut[2], cut[3], cut[4], cut[5], cut[6]
            v0, v1, v2, v3 = leaf[0], leaf[1], leaf[2], leaf[3]
            v4, v5, v6, v7 = leaf[4], leaf[5], leaf[6], leaf[7]
            for row in range(len(sums)):
                a = v0 if x3[row] <= c3 else v1
                b = v2 if x4[row] <= c4 else v3
                c = v4 if x5[row] <= c5 else v5
                d = v6 if x6[row] <= c6 else v7
                left = a if x1[row] <= c1 else b
                right = c if x2[row] <= c2 else d
                sums[row] += left if x0[row] <= c0 else right


def _add_contributions(
    rows: Any, columns: Any, cuts: Any, slots: Any, table: Any, total: Any
) -> None:
    """Adds every tree's contributions to every customer's.

    Args:
        rows: float64[features, n].
        columns: int64[trees, 7], of the splits by their numbers.
        cuts: float64[trees, 7].
        slots: int64[trees, k], the columns that a tree looks at, -1 behind the last.
        table: float64[trees, k, 128], what each adds for each pattern of splits that say "right".
        total: float64[features, n].
    """
    pattern = np.empty(_AT_ONCE, np.uint8)
    count = rows.shape[1]
    for start in range(0, count, _AT_ONCE):
        some = slice(start, min(start + _AT_ONCE, count))
        for tree in range(len(columns)):
            at, cut = columns[tree], cuts[tree]
            x0, x1, x2, x3 = rows[at[0], some], rows[at[1], some], rows[at[2], some], rows[at[3], some]
            x4, x5, x6 = rows[at[4], some], rows[at[5], some], rows[at[6], some]
            c0, c1, c2, c3, c4, c5, c6 = cut[0], cut[1], cut[2], cut[3], cut[4], cut[5], cut[6]
            for row in range(len(x0)):
                pattern[row] = (
                    (x0[row] > c0) | (x1[row] > c1) << 1 | (x2[row] > c2) << 2 | (x3[row] > c3) << 3
                    | (x4[row] > c4) << 4 | (x5[row] > c5) << 5 | (x6[row] > c6) << 6
                )
            for slot in range(slots.shape[1]):
                if slots[tree, slot] < 0:
                    break
                sums, parts = total[slots[tree, slot], some], table[tree, slot]
                for row in range(len(sums)):
                    sums[row] += parts[pattern[row]]
