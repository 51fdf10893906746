"""LightGBM's own text of its trees, read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from churn.features.encoding import Floats

_SEED = 8
_CATEGORICAL, _MISSING, _ZERO_IS_MISSING = 1, 0b1100, 0b0100


class Tree(NamedTuple):
    """One tree; its splits are numbered from 0 on, its leaves from -1 downwards.

    Attributes:
        columns: each split's column.
        cuts: each split's cut: a value above it goes right.
        lefts: where it goes otherwise, a split or a leaf.
        rights: where a larger value goes.
        values: the leaves' log-odds.
        split_rows: training rows at each split.
        leaf_rows: training rows in each leaf.
    """

    columns: tuple[int, ...]
    cuts: tuple[float, ...]
    lefts: tuple[int, ...]
    rights: tuple[int, ...]
    values: tuple[float, ...]
    split_rows: tuple[int, ...]
    leaf_rows: tuple[int, ...]

    def rows(self, node: int) -> int:
        """Training rows at a split or in a leaf."""
        return self.split_rows[node] if node >= 0 else self.leaf_rows[~node]


def trees_in(text: str) -> list[Tree]:
    """The trees that LightGBM's text describes.

    Raises:
        ValueError: a split is not by a finite number, or takes 0 for missing; a leaf is no number;
            or the text is no such text.
        KeyError: a part is missing.
    """
    _, *parts = text.partition("end of trees")[0].split("\nTree=")
    return [_tree(part) for part in parts]


def rows_around(trees: Sequence[Tree], features: int, rows: int) -> Floats:
    """Customers on every side of the trees' splits, float64[rows, features], to try a copy of them with."""
    generator = np.random.default_rng(_SEED)
    found = np.zeros((rows, features))
    for column in range(features):
        cuts = [
            cut
            for tree in trees
            for at, cut in zip(tree.columns, tree.cuts, strict=True)
            if at == column
        ]
        if cuts:
            near = np.concatenate([cuts, np.nextafter(cuts, np.inf), [min(cuts) - 1.0]])
            found[:, column] = generator.choice(near, size=rows)
    return found


def _tree(part: str) -> Tree:
    lines = dict(line.split("=", 1) for line in part.splitlines() if "=" in line)
    if lines.get("is_linear", "0") != "0":
        raise ValueError("its leaves are no numbers")
    for kind in _wholes(lines.get("decision_type", "")):
        if kind & _CATEGORICAL or kind & _MISSING == _ZERO_IS_MISSING:
            raise ValueError("a split is not by a number, or takes 0 for missing")
    return Tree(
        columns=_wholes(lines.get("split_feature", "")),
        cuts=tuple(map(float, lines.get("threshold", "").split())),
        lefts=_wholes(lines.get("left_child", "")),
        rights=_wholes(lines.get("right_child", "")),
        values=tuple(map(float, lines["leaf_value"].split())),
        split_rows=_wholes(lines.get("internal_count", "")),
        leaf_rows=_wholes(lines.get("leaf_count", "")),
    )


def _wholes(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split()))
