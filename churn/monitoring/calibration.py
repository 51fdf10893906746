"""What chance alone makes of the smallest p-value among many columns.

Columns depend on each other, so neither Bonferroni nor independence gives the law of the smallest
of their p-values. Permutation does (Westfall & Young 1993, "Resampling-based multiple testing"):
which rows are called the window is drawn anew, everything else stays. That is done once, with rows
of the training table, for windows of several sizes; a check then looks its value up.

A window of b blocks of a shuffled table is b * 50 rows drawn without replacement, whichever
blocks are taken. So each shuffle is counted once, by block, and gives many windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.distances import ChiSquare, chi_square

Codes = NDArray[np.uint8]
Counts = NDArray[Any]
Floats = NDArray[np.float64]

FEWEST_ROWS = 50
"""Of a window; with fewer a check cannot tell."""
PERMUTATIONS = 20_000

_BLOCK = 50
_LEAST = 1e-300  # of a p-value whose logarithm is taken
_MOST_WINDOWS = 40  # of one shuffle
_BATCH = 50  # shuffles whose windows are compared at once
_FEWEST_BLOCKS = 4  # of a reference; the half of it is the largest window
_SIZES = (1, 4, 16, 64)  # windows, in blocks
_RANKS = np.unique(
    np.concatenate([np.arange(1, 50), np.geomspace(50, PERMUTATIONS, 400).astype(np.int64)])
)
"""Which of the sorted smallest p-values are kept: all of the first 49, then in steps of 1.5%."""


@dataclass(frozen=True)
class Calibration:
    """Rows of the reference, and the law of the smallest p-value without drift, at several sizes.

    Attributes:
        sample: uint8[sampled, columns + 1], bins of training rows; the score is the last column.
        sizes: float64[s], rising: 1 / (1 / window + 1 / reference), on which the law depends.
        smallest: float32[s, ranks], base-10 logarithms of the smallest p-value: of 20,000
            windows without drift as many lie at or below it as `ranks` says.
    """

    sample: Codes
    sizes: Floats
    smallest: NDArray[np.float32]

    def p_value(self, smallest: float, window: int, reference: int) -> float:
        """The chance that a window of that size without drift has a smallest p-value like this, or less.

        Never below 1 / 20,001: no smaller one can be resolved.
        """
        size = np.log(1 / (1 / window + 1 / reference))
        grid = np.log(self.sizes)
        place = int(np.clip(np.searchsorted(grid, size) - 1, 0, len(grid) - 1))
        after = min(place + 1, len(grid) - 1)
        step = grid[after] - grid[place]
        weight = float(np.clip((size - grid[place]) / step, 0, 1)) if step > 0 else 0.0
        law = (1 - weight) * self.smallest[place] + weight * self.smallest[after]
        # Stored to four decimals: a value that equals one of the law's must count as its equal.
        below = int(np.searchsorted(law, np.log10(max(smallest, _LEAST)) + 1e-4, side="right"))
        rank = _RANKS[below] if below < len(_RANKS) else PERMUTATIONS + 1
        return float(rank / (PERMUTATIONS + 1))


def smallest_p_value(before: Sequence[Counts], after: Sequence[Counts]) -> Floats:
    """The smallest p-value among every column's chi-square and the score's KS.

    Args:
        before: for each column, and for the score after them, counts [bins] or [windows, bins].
        after: the same of the window or windows.

    Returns:
        float64[windows], or one number.
    """
    tests = [column_test(*each) for each in zip(before[:-1], after[:-1], strict=True)]
    statistics = np.stack([test.statistic for test in tests])
    freedoms = np.stack([test.freedom for test in tests])
    smallest = binned_ks(before[-1], after[-1])[1]
    for freedom in np.unique(freedoms[freedoms > 0]):
        # Of equal freedom, the largest statistic has the smallest p-value.
        largest = np.where(freedoms == freedom, statistics, 0.0).max(axis=0)
        smallest = np.minimum(smallest, ChiSquare(largest, freedom).p_value)
    return smallest


def column_test(before: Counts, after: Counts) -> ChiSquare:
    """The chi-square of one column, with half a row in every expected count."""
    return chi_square(before, after, added=0.5)


def binned_ks(before: Counts, after: Counts) -> tuple[Floats, Floats]:
    """The largest gap between two distribution functions at the bins' edges, and Smirnov's tail."""
    from scipy.special import (
        kolmogorov,
    )  # here, as it takes long, and whatever scores never needs it

    m, n = before.sum(axis=-1), after.sum(axis=-1)
    gaps = np.cumsum(after, axis=-1) / n[..., None] - np.cumsum(before, axis=-1) / m[..., None]
    gap = np.abs(gaps).max(axis=-1)
    return gap, np.asarray(kolmogorov(np.sqrt(m * n / (m + n)) * gap), dtype=np.float64)


def calibrate(
    sample: Codes, bins: Sequence[int], generator: np.random.Generator
) -> Calibration | None:
    """Learns the law from rows of the reference.

    Args:
        sample: uint8[rows, columns], bins of the rows; the score is the last column.
        bins: how many bins each column has.
        generator: draws the windows.

    Returns:
        The law; None where the reference has too few rows for windows of 50.
    """
    blocks = len(sample) // _BLOCK
    if blocks < _FEWEST_BLOCKS:
        return None
    rows = blocks * _BLOCK
    sizes = [each for each in _SIZES if each <= blocks // 2]
    wide = sum(bins)
    # Every column's bins side by side.
    places = sample[:rows] + np.concatenate([[0], np.cumsum(bins)[:-1]])
    total = np.bincount(places.ravel(), minlength=wide)
    windows = min(blocks // 2, _MOST_WINDOWS)
    shuffles = -(-PERMUTATIONS // windows)
    found: list[list[Floats]] = [[] for _ in sizes]
    for first in range(0, shuffles, _BATCH):
        counts: list[list[NDArray[Any]]] = [[] for _ in sizes]
        for _ in range(min(_BATCH, shuffles - first)):
            by_block = _counts_by_block(generator.permutation(places), wide)
            order = generator.random((windows, blocks)).argsort(axis=1)
            for place, size in enumerate(sizes):
                counts[place].append((order < size).astype(np.float32) @ by_block)
        for place, each in enumerate(counts):
            found[place].append(_smallest(total, np.concatenate(each), bins))
    law = np.stack([np.sort(np.concatenate(each)[:PERMUTATIONS]) for each in found])
    kept = np.log10(np.maximum(law[:, _RANKS - 1], _LEAST))
    effective = [1 / (1 / (each * _BLOCK) + 1 / (rows - each * _BLOCK)) for each in sizes]
    return Calibration(sample, np.array(effective), np.round(kept, 4).astype(np.float32))


def _counts_by_block(shuffled: NDArray[np.int64], wide: int) -> NDArray[np.float32]:
    """Counts [blocks, bins] of rows that were shuffled."""
    blocks = len(shuffled) // _BLOCK
    apart = np.repeat(np.arange(blocks) * wide, _BLOCK)[:, None]
    counted = np.bincount((shuffled + apart).ravel(), minlength=wide * blocks)
    return counted.reshape(blocks, wide).astype(np.float32)


def _smallest(total: Counts, windows: Counts, bins: Sequence[int]) -> Floats:
    """As `smallest_p_value`, of columns side by side; the other rows are the reference."""
    ends = np.cumsum(bins)[:-1]
    after = np.split(windows, ends, axis=-1)
    before = [all_rows - each for all_rows, each in zip(np.split(total, ends), after, strict=True)]
    return smallest_p_value(before, after)
