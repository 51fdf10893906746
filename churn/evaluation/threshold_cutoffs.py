"""All the ways to cut a ranking into contacted and left alone, and the rules that pick one.

Customers with equal scores are never told apart: a cut lies between groups of ties. Cut 0 contacts
nobody; the threshold of any other is the lowest score it contacts, so the same customers are
contacted whatever rising function the scores go through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churn.evaluation.intervals import resampled_weights
from churn.evaluation.weighted import Floats, Labels, ScoreGroups, Weights, ratio
from churn.retention.value_settings import Rule, ThresholdSettings

NOBODY = 1.0
"""The threshold of the campaign that contacts nobody: no model is ever that certain."""

_REPLICATES_AT_A_TIME = 200
_ROUNDING = 1e-9


@dataclass(frozen=True)
class CutoffTotals:
    """What every cut comes to under some weightings; each float64[cuts, replicates].

    Attributes:
        contacted: weight of the customers contacted.
        leavers: weight of those among them who left.
        profit: what they earn, in currency.
    """

    contacted: Floats
    leavers: Floats
    profit: Floats


@dataclass(frozen=True, eq=False)
class Cutoffs:
    """The cuts of one ranking.

    Attributes:
        groups: rows by falling score, ties together.
        profit: float64[rows], what contacting each customer earns.
        thresholds: float64[cuts], falling.
    """

    groups: ScoreGroups
    profit: Floats
    thresholds: Floats

    @classmethod
    def from_scores(cls, target: Labels, probability: Floats, profit: Floats) -> Cutoffs:
        """Every cut of the rows ranked by probability."""
        groups = ScoreGroups.from_scores(target, probability)
        falling = probability[groups.order][groups.starts]
        return cls(groups=groups, profit=profit, thresholds=np.r_[NOBODY, falling])

    def totals(self, weights: Weights | None = None) -> CutoffTotals:
        """What every cut comes to; `weights` is [rows, replicates], by default one of each."""
        if weights is None:
            weights = np.ones((len(self.profit), 1))
        everyone, left = self.groups.totals(weights)
        earned = weights[self.groups.order] * self.profit[self.groups.order, None]
        return CutoffTotals(
            contacted=_summed(everyone),
            leavers=_summed(left),
            profit=_summed(np.add.reduceat(earned, self.groups.starts, axis=0)),
        )

    def threshold_for(self, rule: Rule, settings: ThresholdSettings, capacity: float) -> float:
        """The threshold that a rule picks on the rows as they are."""
        return float(self.thresholds[pick_cutoffs(rule, self.totals(), settings, capacity)[0]])

    def resampled_thresholds(
        self, rules: tuple[Rule, ...], settings: ThresholdSettings, capacity: float
    ) -> dict[Rule, Floats]:
        """The thresholds that rules pick on resampled customers, float64[samples] each."""
        found: dict[Rule, list[Floats]] = {rule: [] for rule in rules}
        for weights in _small_batches(len(self.profit), settings):
            reached = self.totals(weights)
            for rule in rules:
                cut = pick_cutoffs(rule, reached, settings, capacity)
                found[rule].append(self.thresholds[cut])
        return {rule: np.concatenate(parts) for rule, parts in found.items()}


def pick_cutoffs(
    rule: Rule, reached: CutoffTotals, settings: ThresholdSettings, capacity: float
) -> npt.NDArray[np.int64]:
    """Which cut a rule picks, int64[replicates]; between equals, the smaller campaign.

    Args:
        rule: profit, capacity or f_beta; a break-even threshold needs no rows.
        reached: what every cut comes to.
        settings: for beta.
        capacity: share of the customers that can be contacted.

    Raises:
        ValueError: the rule does not pick among cuts.
    """
    if rule == "profit":
        return np.asarray(reached.profit.argmax(axis=0), dtype=np.int64)
    if rule == "capacity":
        room = capacity * reached.contacted[-1] + _ROUNDING
        # A group of ties that does not fit stays out whole: a capacity is not exceeded.
        return np.asarray((reached.contacted <= room).sum(axis=0) - 1, dtype=np.int64)
    if rule == "f_beta":
        best = _f_beta(reached, settings.beta).argmax(axis=0)
        return np.asarray(best, dtype=np.int64)
    raise ValueError(f"rule {rule!r} does not pick among cuts")


def _f_beta(reached: CutoffTotals, beta: float) -> Floats:
    """F-beta of every cut (van Rijsbergen 1979): recall weighs beta times as much as precision."""
    weight = beta**2
    possible = weight * reached.leavers[-1] + reached.contacted
    return ratio((1 + weight) * reached.leavers, possible, otherwise=0.0)


def _summed(groups: Floats) -> Floats:
    """Running totals over the groups, with cut 0 in front."""
    return np.vstack([np.zeros((1, groups.shape[1])), np.cumsum(groups, axis=0)])


def _small_batches(rows: int, settings: ThresholdSettings) -> Iterator[npt.NDArray[np.float32]]:
    """The bootstrap's draws, a few replicates at a time: cuts x replicates must fit in memory."""
    for weights in resampled_weights(rows, settings.bootstrap_samples, settings.seed):
        for start in range(0, weights.shape[1], _REPLICATES_AT_A_TIME):
            yield weights[:, start : start + _REPLICATES_AT_A_TIME]
