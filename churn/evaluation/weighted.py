"""Ranking metrics of weighted rows, for many weightings at once.

A bootstrap replicate is the same rows with other weights, so scores are sorted once and every
replicate costs one pass of additions. Weights come as [rows, replicates]: one customer's weights
lie side by side, and a pass adds whole lines of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Labels = npt.NDArray[np.int8]
Weights = npt.NDArray[np.float32] | npt.NDArray[np.float64]

TOP_SHARE = 0.10
"""The share of customers, best scores first, that lift is computed on."""

_FLOAT32_ROWS = 2**23
"""Draws of fewer rows are counted exactly in float32, which holds all whole numbers to 2**24, and so is their double."""


def ratio(part: Floats, whole: Floats, *, otherwise: float = np.nan) -> Floats:
    """Divides where the divisor is positive; elsewhere the result is `otherwise`."""
    result: Floats = np.full(whole.shape, otherwise)
    np.divide(part, whole, out=result, where=whole > 0)
    return result


@dataclass(frozen=True)
class RankedRows:
    """Rows of both outcomes, ranked by score once for any number of weightings.

    Attributes:
        stayed: row numbers with target 0, by rising score.
        left: row numbers with target 1.
        below: per row of `left`, how many of `stayed` score strictly lower.
        up_to: per row of `left`, how many of `stayed` score lower or the same.
    """

    stayed: Rows
    left: Rows
    below: Rows
    up_to: Rows

    @classmethod
    def from_scores(cls, target: Labels, score: Floats, rows: Rows | None = None) -> RankedRows:
        """Returns ranked rows; `rows[i]` is the weight line of the i-th score (default: i itself)."""
        if rows is None:
            rows = np.arange(len(target), dtype=np.int64)
        event = np.asarray(target) == 1
        order = np.argsort(score[~event], kind="stable")
        ladder = score[~event][order]
        return cls(
            stayed=rows[~event][order],
            left=rows[event],
            below=np.searchsorted(ladder, score[event], side="left").astype(np.int64),
            up_to=np.searchsorted(ladder, score[event], side="right").astype(np.int64),
        )

    def auc(self, weights: Weights) -> Floats:
        """Area under the ROC curve of every weighting.

        It is the weighted Mann-Whitney statistic: the chance that a customer who left scores
        above one who stayed, a tie counting half (Hanley & McNeil 1982, Radiology 143:29-36).

        Args:
            weights: [rows, replicates], not negative.

        Returns:
            float64[replicates]; NaN where a weighting leaves one outcome without any weight.
        """
        dtype = weights.dtype if len(weights) < _FLOAT32_ROWS else np.float64
        weight_below = np.zeros((len(self.stayed) + 1, weights.shape[1]), dtype=dtype)
        # Row by row beats np.cumsum(axis=0) threefold: each addition runs over adjacent memory.
        for position, row in enumerate(self.stayed):
            np.add(weight_below[position], weights[row], out=weight_below[position + 1])
        of_left = weights[self.left]
        beaten = weight_below[self.below]
        beaten += weight_below[self.up_to]
        won = np.einsum("ij,ij->j", of_left, beaten, dtype=np.float64) / 2
        pairs = of_left.sum(axis=0, dtype=np.float64) * weight_below[-1].astype(np.float64)
        return ratio(won, pairs)


@dataclass(frozen=True)
class ScoreGroups:
    """Rows sorted by falling score, equal scores gathered into one group.

    Working on groups makes a metric independent of the order in which tied rows arrive.
    """

    order: Rows
    starts: Rows
    event: npt.NDArray[np.bool_]

    @classmethod
    def from_scores(cls, target: Labels, score: Floats) -> ScoreGroups:
        """Returns the groups of rows, by falling score."""
        order = np.argsort(-score, kind="stable").astype(np.int64)
        falling = score[order]
        starts = np.flatnonzero(np.r_[True, falling[1:] != falling[:-1]]).astype(np.int64)
        return cls(order=order, starts=starts, event=np.asarray(target)[order] == 1)

    def totals(self, weights: Weights) -> tuple[Floats, Floats]:
        """Weight of all rows and of those who left, each float64[groups, replicates]."""
        sorted_weights = weights[self.order].astype(np.float64)
        everyone = np.add.reduceat(sorted_weights, self.starts, axis=0)
        sorted_weights[~self.event] = 0
        return everyone, np.add.reduceat(sorted_weights, self.starts, axis=0)

    def average_precision(self, weights: Weights) -> Floats:
        """Area under the precision-recall curve as average precision, one per weighting.

        Precision is averaged over the steps of recall, without interpolation (Davis & Goadrich
        2006, ICML). NaN where no customer with weight has left.
        """
        everyone, left = self.totals(weights)
        reached, found = np.cumsum(everyone, axis=0), np.cumsum(left, axis=0)
        area = (left * ratio(found, reached, otherwise=0.0)).sum(axis=0)
        return ratio(area, found[-1])

    def lift(self, weights: Weights, share: float = TOP_SHARE) -> Floats:
        """Churn rate among the top share of customers over everyone's, one per weighting.

        The share is exact: a group of ties that straddles the cut counts in proportion, which is
        what drawing among the tied customers gives on average.
        """
        everyone, left = self.totals(weights)
        reached, total = np.cumsum(everyone, axis=0), left.sum(axis=0)
        cut = share * reached[-1]
        taken = np.clip(cut - (reached - everyone), 0, everyone)
        found = (left * ratio(taken, everyone, otherwise=0.0)).sum(axis=0)
        return ratio(found / share, total)
