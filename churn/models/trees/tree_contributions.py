"""Exact Shapley values of shallow trees, looked up in tables that are computed once.

What a tree adds for a customer depends on nothing but which of its few splits say "right". So each
tree gets a table, a row for every such pattern, and a customer's contributions are one row of every
tree's table, added up tree by tree. The values are path-dependent TreeSHAP's (Lundberg et al. 2020,
Nature Machine Intelligence 2:56-67), with the training rows' shares at the splits, as LightGBM has
them; sums are in another order than LightGBM's, so the last bits differ.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churn.features.encoding import Floats
from churn.models.trees.tree_text import Tree

_BITS = 8
_SPLITS = 7
_PATTERNS = 1 << _SPLITS
_FEW = 64  # rows; fewer are faster one by one
_ROWS_AT_ONCE = 4096  # their patterns stay in the processor's cache


class TreeContributions:
    """Trees of at most eight leaves, split by numbers."""

    def __init__(self, trees: Sequence[Tree], features: int) -> None:
        """Works the tables out.

        Raises:
            ValueError: a tree has more leaves.
        """
        self.features = features
        self._count = len(trees)
        self._starts = np.arange(self._count, dtype=np.intp) * _PATTERNS
        cuts: list[defaultdict[float, int]] = [defaultdict(int) for _ in range(features)]
        for place, tree in enumerate(trees):
            if len(tree.columns) > _SPLITS:
                raise ValueError(f"tree {place} has more than {_SPLITS} splits")
            for split, (column, cut) in enumerate(zip(tree.columns, tree.cuts, strict=True)):
                cuts[column][cut] |= 1 << (place * _BITS + split)
        self._columns = tuple(
            (column, sorted(found), _right(found)) for column, found in enumerate(cuts) if found
        )
        slots = [tuple(dict.fromkeys(tree.columns)) for tree in trees]
        wide = max(map(len, slots), default=0)
        self._table: Floats = np.zeros((self._count * _PATTERNS, wide))
        _fill(self._table.reshape(self._count, _PATTERNS, wide), trees, slots)
        # If a tree has fewer columns than the table, zeros are added to an extra column.
        self._slots = np.full((self._count, wide), features, dtype=np.intp)
        for place, columns in enumerate(slots):
            self._slots[place, : len(columns)] = columns
        self._flat = self._slots.ravel()

    def one(self, values: Sequence[float]) -> list[float]:
        """A customer's contributions by column; all values are finite."""
        right = 0
        for column, cuts, bits in self._columns:
            right |= bits[bisect_left(cuts, values[column])]
        pattern = np.frombuffer(right.to_bytes(self._count, "little"), np.uint8)
        parts = self._table.take(self._starts + pattern, axis=0).ravel()
        total: list[float] = np.bincount(self._flat, parts, self.features + 1).tolist()
        return total[: self.features]

    def by_slot(self) -> tuple[NDArray[np.int64], Floats]:
        """The columns of each tree, `features` behind the last, and the tables: [trees, k, patterns]."""
        table = self._table.reshape(self._count, _PATTERNS, self._slots.shape[1])
        return self._slots.astype(np.int64), np.ascontiguousarray(table.transpose(0, 2, 1))

    def many(self, matrix: Floats) -> Floats:
        """The contributions of n customers, float64[n, features], with the bits of `one`."""
        if len(matrix) < _FEW:
            alone = [self.one(row) for row in matrix.tolist()]
            return np.array(alone).reshape(len(matrix), self.features)
        found = np.zeros((len(matrix), self.features + 1))
        prepared = [
            (np.array(cuts), np.frombuffer(_bytes(bits, self._count), np.uint8), column)
            for column, cuts, bits in self._columns
        ]
        table = self._table.reshape(self._count, _PATTERNS, -1)
        for start in range(0, len(matrix), _ROWS_AT_ONCE):
            rows = matrix[start : start + _ROWS_AT_ONCE]
            pattern = np.zeros((len(rows), self._count), dtype=np.uint8)
            for cuts, bits, column in prepared:
                above = np.searchsorted(cuts, rows[:, column], side="left")
                pattern |= bits.reshape(-1, self._count)[above]
            total = found[start : start + _ROWS_AT_ONCE]
            for place, columns in enumerate(self._slots):
                # No column is twice in a tree except the extra one, which is dropped.
                total[:, columns] += table[place][pattern[:, place]]
        return found[:, : self.features]


class _Leaf(NamedTuple):
    """One leaf of one tree, by the columns on its path.

    Attributes:
        tree: place of the tree.
        value: value of the leaf.
        shares: of the training rows that go its way at all of a column's splits, a column each.
        lefts: bits of the splits that must say "left", a column each.
        rights: bits of those that must say "right".
        slots: each column's place in the tree's table.
    """

    tree: int
    value: float
    shares: tuple[float, ...]
    lefts: tuple[int, ...]
    rights: tuple[int, ...]
    slots: tuple[int, ...]


def _fill(table: Floats, trees: Sequence[Tree], slots: Sequence[tuple[int, ...]]) -> None:
    """Adds every leaf's part to its tree's table, leaves with paths of equal length at once."""
    alike: defaultdict[tuple[int, int], list[_Leaf]] = defaultdict(list)
    for place, tree in enumerate(trees):
        for number, leaf in enumerate(_leaves(place, tree, slots[place])):
            alike[number, len(leaf.shares)].append(leaf)
    patterns = np.arange(_PATTERNS)
    # One leaf of a tree at a time, so that no two add to the same place at once.
    for (_, length), leaves in sorted(alike.items()):
        if not length:
            continue
        lefts, rights = (
            np.array([getattr(leaf, name) for leaf in leaves])[:, np.newaxis, :]
            for name in ("lefts", "rights")
        )
        column_patterns = patterns[:, np.newaxis]
        passes = ((column_patterns & lefts) == 0) & (
            (column_patterns & rights) == rights
        )  # [leaves, patterns, columns]
        which = (passes << np.arange(length)).sum(axis=2)
        shares = np.array([leaf.shares for leaf in leaves])
        parts = _shapley(shares, np.array([leaf.value for leaf in leaves]))
        found = np.take_along_axis(parts, which[:, :, np.newaxis], axis=1)
        where = np.array([leaf.tree for leaf in leaves])[:, np.newaxis]
        at = np.array([leaf.slots for leaf in leaves])
        for column in range(length):
            table[where, patterns, at[:, column, np.newaxis]] += found[:, :, column]


def _shapley(shares: Floats, values: Floats) -> Floats:
    """A leaf's Shapley values for every subset of its path's columns whose splits a customer passes.

    The game: with the columns of a set known, the leaf is reached where the customer passes those,
    by the shares of the training rows at the others. A set's weight in a column's value is
    |S|! (k - |S| - 1)! / k!, and the sets of one size are the coefficient of a product over the
    other columns.

    Args:
        shares: float64[leaves, k].
        values: float64[leaves], of the leaves.

    Returns:
        float64[leaves, 2**k, k]; bit j of the subset says whether column j is passed.
    """
    count, length = shares.shape
    passes = (np.arange(1 << length)[:, np.newaxis] >> np.arange(length) & 1).astype(float)
    weights = [
        factorial(size) * factorial(length - size - 1) / factorial(length) for size in range(length)
    ]
    found = np.empty((count, 1 << length, length))
    for column in range(length):
        sizes = np.zeros((length, count, 1 << length))
        sizes[0] = 1.0
        for other in set(range(length)) - {column}:
            unknown, known = shares[:, other, np.newaxis], passes[:, other]
            sizes[1:] = sizes[1:] * unknown + sizes[:-1] * known
            sizes[0] *= unknown
        chance = np.tensordot(weights, sizes, axes=1)
        own = passes[:, column] - shares[:, column, np.newaxis]
        found[:, :, column] = values[:, np.newaxis] * own * chance
    return found


def _leaves(place: int, tree: Tree, slots: tuple[int, ...]) -> Iterator[_Leaf]:
    """A tree's leaves with their paths."""

    def below(node: int, path: dict[int, tuple[float, int, int]]) -> Iterator[_Leaf]:
        if node < 0:
            yield _Leaf(
                place,
                tree.values[~node],
                tuple(share for share, _, _ in path.values()),
                tuple(left for _, left, _ in path.values()),
                tuple(right for _, _, right in path.values()),
                tuple(slots.index(column) for column in path),
            )
            return
        column, here = tree.columns[node], tree.rows(node)
        share, left, right = path.get(column, (1.0, 0, 0))
        bit = 1 << node
        for child, lefts, rights in (
            (tree.lefts[node], left | bit, right),
            (tree.rights[node], left, right | bit),
        ):
            yield from below(
                child, {**path, column: (share * (tree.rows(child) / here), lefts, rights)}
            )

    return below(0 if tree.columns else -1, {})


def _right(cuts: dict[float, int]) -> list[int]:
    """The splits that say "right" above none of the cuts, above the first, the first two ..."""
    right = [0]
    for cut in sorted(cuts):
        right.append(right[-1] | cuts[cut])
    return right


def _bytes(bits: list[int], count: int) -> bytes:
    return b"".join(each.to_bytes(count, "little") for each in bits)
