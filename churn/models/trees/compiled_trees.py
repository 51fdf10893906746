"""Shallow trees over whole columns, in machine code: the library's very bits for a fiftieth of its time.

The branches of hundreds of small trees are hard for a processor to predict. Here a tree is complete:
seven splits and eight leaves, each leaf chosen by comparisons without a branch, many customers side by
side. Trees are added up in order, as LightGBM adds them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from churn.features.encoding import Floats
from churn.models.trees.tree_contributions import TreeContributions
from churn.models.trees.tree_loops import (
    AT_ONCE,
    LEAVES,
    SPLITS,
    contributions_loop,
    leaves_loop,
)
from churn.models.trees.tree_text import Tree


class CompiledTrees:
    """Trees of at most three levels, split by numbers: their log-odds."""

    def __init__(self, trees: Sequence[Tree]) -> None:
        """Completes the trees, as `trees_in` finds them, and compiles what adds them up.

        Raises:
            ValueError: a tree has more levels.
            ImportError: llvmlite is not installed.
        """
        self._add = leaves_loop()
        self._columns, self._cuts = _no_splits(len(trees))
        self._leaves = np.empty((len(trees), LEAVES))
        for place, tree in enumerate(trees):
            self._complete(place, tree, 0, 0 if tree.columns else -1)

    def __call__(self, matrix: Floats) -> Floats:
        """Log-odds float64[n] of n customers, from float64[n, features] without NaN."""
        columns = _whole_blocks(matrix)
        total = np.zeros(columns.shape[1])
        if len(total) and len(self._leaves):
            sizes = len(total), len(self._leaves)
            self._add(*sizes, columns, self._columns, self._cuts, self._leaves, total)
        return total[: len(matrix)]

    def _complete(self, place: int, tree: Tree, at: int, node: int) -> None:
        """Puts a node at its place; a leaf above the last level stands below both ways of a split."""
        if at >= SPLITS:
            if node >= 0:
                raise ValueError(f"tree {place} has more than three levels")
            self._leaves[place, at - SPLITS] = tree.values[~node]
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
            ImportError: llvmlite is not installed.
        """
        self._add = contributions_loop()
        # By the trees' own numbers of their splits, as the tables' patterns count them.
        self._columns, self._cuts = _no_splits(len(trees))
        for place, tree in enumerate(trees):
            self._columns[place, : len(tree.columns)] = tree.columns
            self._cuts[place, : len(tree.cuts)] = tree.cuts
        self._slots, self._table = tables.by_slot()
        self._used = np.maximum(1, (self._slots < tables.features).sum(axis=1))

    def __call__(self, matrix: Floats) -> Floats:
        """Shapley values float64[n, features] of n customers, from as many values without NaN."""
        columns, features = _whole_blocks(matrix), matrix.shape[1]
        total = np.zeros((features + 1, columns.shape[1]))  # what no tree looks at goes to the last
        if columns.shape[1] and self._slots.size:
            sizes = columns.shape[1], *self._slots.shape
            splits = self._columns, self._cuts
            self._add(*sizes, columns, *splits, self._used, self._slots, self._table, total)
        return total[:features, : len(matrix)].T


def _no_splits(trees: int) -> tuple[NDArray[np.int64], Floats]:
    """Columns and cuts of splits that send every customer to the left."""
    return np.zeros((trees, SPLITS), np.int64), np.full((trees, SPLITS), np.inf)


def _whole_blocks(matrix: Floats) -> Floats:
    """Customers column by column, their number rounded up to whole blocks.

    Nothing is copied where that is so already, and the matrix lies in memory column by column.
    """
    missing = -len(matrix) % AT_ONCE
    if missing:
        matrix = np.pad(matrix, ((0, missing), (0, 0)))
    return np.ascontiguousarray(matrix.T)
