"""All cutoffs of a ranking (contacted above, not contacted below), and the rules that pick one.

Customers with equal scores are never separated: a cutoff lies between groups of ties. Cutoff 0
contacts nobody; the threshold of any other is the lowest score that it contacts, so a rising
transformation of the scores contacts the same customers.
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
"""The threshold of the campaign that contacts nobody: no score reaches it."""

_REPLICATES_AT_A_TIME = 200
_ROUNDING = 1e-9


@dataclass(frozen=True)
class CutoffTotals:
    """Totals above every cutoff, for each weighting; each float64[cutoffs, replicates].

    They are the weight of the customers contacted, that of the leavers among them, and the profit.
    """

    contacted: Floats
    leavers: Floats
    profit: Floats


@dataclass(frozen=True, eq=False)
class Cutoffs:
    """The cutoffs of one ranking.

    Attributes:
        groups: rows by falling score, ties together.
        profit: float64[rows], what contacting each customer earns.
        thresholds: float64[cutoffs], falling.
    """

    groups: ScoreGroups
    profit: Floats
    thresholds: Floats

    @classmethod
    def from_scores(cls, target: Labels, probability: Floats, profit: Floats) -> Cutoffs:
        """Returns every cutoff of the rows, ranked by probability."""
        groups = ScoreGroups.from_scores(target, probability)
        falling = probability[groups.order][groups.starts]
        return cls(groups=groups, profit=profit, thresholds=np.r_[NOBODY, falling])

    def totals(self, weights: Weights | None = None) -> CutoffTotals:
        """Returns the totals above every cutoff; `weights` is [rows, replicates], by default all 1."""
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
        """Returns the threshold that a rule picks on the rows as they are."""
        return float(self.thresholds[pick_cutoffs(rule, self.totals(), settings, capacity)[0]])

    def resampled_thresholds(
        self, rules: tuple[Rule, ...], settings: ThresholdSettings, capacity: float
    ) -> dict[Rule, Floats]:
        """Returns the thresholds that rules pick on resampled customers, float64[samples] each."""
        drawn: dict[Rule, list[Floats]] = {rule: [] for rule in rules}
        for weights in _small_batches(len(self.profit), settings):
            totals = self.totals(weights)
            for rule in rules:
                cutoff = pick_cutoffs(rule, totals, settings, capacity)
                drawn[rule].append(self.thresholds[cutoff])
        return {rule: np.concatenate(parts) for rule, parts in drawn.items()}


def pick_cutoffs(
    rule: Rule, totals: CutoffTotals, settings: ThresholdSettings, capacity: float
) -> npt.NDArray[np.int64]:
    """Returns the cutoff that a rule picks, int64[replicates]; between equals, the smaller campaign.

    Raises:
        ValueError: the rule does not pick among cutoffs: a break-even threshold needs no rows.
    """
    if rule == "profit":
        return np.asarray(totals.profit.argmax(axis=0), dtype=np.int64)
    if rule == "capacity":
        limit = capacity * totals.contacted[-1] + _ROUNDING
        # A group of ties that does not fit is left out as a whole: a capacity is not exceeded.
        return np.asarray((totals.contacted <= limit).sum(axis=0) - 1, dtype=np.int64)
    if rule == "f_beta":
        return np.asarray(_f_beta(totals, settings.beta).argmax(axis=0), dtype=np.int64)
    raise ValueError(f"rule {rule!r} does not pick among cutoffs")


def _f_beta(totals: CutoffTotals, beta: float) -> Floats:
    """F-beta of every cut (van Rijsbergen 1979): recall weighs beta times as much as precision."""
    weight = beta**2
    possible = weight * totals.leavers[-1] + totals.contacted
    return ratio((1 + weight) * totals.leavers, possible, otherwise=0.0)


def _summed(groups: Floats) -> Floats:
    """Running totals over the groups, with cutoff 0 in front."""
    return np.vstack([np.zeros((1, groups.shape[1])), np.cumsum(groups, axis=0)])


def _small_batches(rows: int, settings: ThresholdSettings) -> Iterator[npt.NDArray[np.float32]]:
    """The bootstrap's draws, a few replicates at a time: cutoffs x replicates must fit in memory."""
    for weights in resampled_weights(rows, settings.bootstrap_samples, settings.seed):
        for start in range(0, weights.shape[1], _REPLICATES_AT_A_TIME):
            yield weights[:, start : start + _REPLICATES_AT_A_TIME]
