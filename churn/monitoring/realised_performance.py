"""How well a model has done, once outcomes are known: of untreated customers, with treated ones apart.

A customer kept by a campaign did not leave, and the model was right all the same. So figures
of treated customers say what model and campaign did together. Untreated are those that no campaign
contacted, among them the holdout: customers that it would have contacted and left out by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from churn.contract import DataContract
from churn.evaluation.delong import delong
from churn.evaluation.disparities import Estimate, wilson_interval
from churn.evaluation.intervals import (
    LEVEL,
    Interval,
    normal_quantile,
    percentile_interval,
    resampled_weights,
)
from churn.evaluation.plan import SliceSettings
from churn.evaluation.slices import SlicesReport, evaluate_slices
from churn.evaluation.weighted import Floats, Labels, RankedRows
from churn.features.encoding import Columns, take
from churn.frozen_model import FrozenModel
from churn.monitoring.estimated_performance import Campaign
from churn.monitoring.risk_test import squared_errors
from churn.retention.profit import campaign_profit

Group = Literal["untreated", "treated", "holdout"]
Members = NDArray[np.bool_]

_FEWEST_EACH = 10  # of either outcome, for a ROC-AUC
_BOTH = 2  # outcomes
_RESAMPLINGS = 1_000
_SEED = 17
_NOBODY = "Who was treated was not told, so customers that a campaign kept count as wrongly scored."


class GroupFigures(FrozenModel):
    """Figures of one group, with 95% intervals.

    Attributes:
        group: who.
        finding: `cannot tell` where there are fewer than 10 of an outcome, so that no ROC-AUC is given.
        rows: customers with an outcome.
        left: of them.
        roc_auc: with DeLong's interval.
        churn_rate: with Wilson's interval; None without rows.
        expected_churn_rate: mean of their scores.
        risk: mean squared error of the scores (Brier).
        profit: of the campaign on these customers, each, in currency; at the assumed acceptance.
    """

    group: Group
    finding: Literal["measured", "cannot tell"]
    rows: int = Field(ge=0)
    left: int = Field(ge=0)
    roc_auc: Estimate | None = None
    churn_rate: Estimate | None = None
    expected_churn_rate: float | None = None
    risk: Estimate | None = None
    profit: Estimate | None = None


class RealisedPerformance(FrozenModel):
    """Figures of a window whose outcomes are known.

    Attributes:
        untreated: the figures to judge the model by.
        treated: what model and campaign did together.
        holdout: of those the campaign would have contacted.
        roc_auc_if_untreated: of all customers, had nobody been treated; the holdout stands for the
            treated. None without a holdout.
        slices: of the untreated; None where no columns were given, or only one outcome occurs.
        notes: what a reader has to know.
    """

    untreated: GroupFigures
    treated: GroupFigures
    holdout: GroupFigures
    roc_auc_if_untreated: Estimate | None = None
    slices: SlicesReport | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Treatment:
    """Who was treated.

    Attributes:
        treated: bool[n], contacted by a campaign.
        holdout: bool[n], left out of it by chance.
    """

    treated: Members
    holdout: Members

    def __post_init__(self) -> None:
        """Refuses what cannot be.

        Raises:
            ValueError: a customer is both, or the lengths differ.
        """
        if self.treated.shape != self.holdout.shape or (self.treated & self.holdout).any():
            raise ValueError("a customer is treated and in the holdout, or the lengths differ")


def measure_realised(
    target: Labels,
    score: Floats,
    *,
    treatment: Treatment | None = None,
    campaign: Campaign | None = None,
) -> RealisedPerformance:
    """Measures a window.

    Args:
        target: int8[n], 1 for a customer who left.
        score: float64[n], the probabilities that the model had given.
        treatment: who was treated; None where that is not known, and all count as untreated.
        campaign: for the profit.

    Raises:
        ValueError: the arrays do not match, or hold something else than that.
    """
    if target.shape != score.shape or not np.isin(target, (0, 1)).all():
        raise ValueError(f"target {target.shape} and score {score.shape} do not match")
    nobody = np.zeros(len(target), dtype=np.bool_)
    known = treatment or Treatment(nobody, nobody)
    if known.treated.shape != target.shape:
        raise ValueError(f"treatment {known.treated.shape} and target {target.shape} do not match")
    return RealisedPerformance(
        untreated=_figures("untreated", ~known.treated, target, score, campaign),
        treated=_figures("treated", known.treated, target, score, campaign),
        holdout=_figures("holdout", known.holdout, target, score, campaign),
        roc_auc_if_untreated=_auc_if_untreated(target, score, known),
        notes=() if treatment else (_NOBODY,),
    )


def with_slices(
    realised: RealisedPerformance,
    columns: Columns,
    contract: DataContract,
    target: Labels,
    score: Floats,
    *,
    threshold: float,
    treatment: Treatment | None = None,
    settings: SliceSettings | None = None,
) -> RealisedPerformance:
    """Adds the figures of the untreated within every slice that the contract declares."""
    members = ~treatment.treated if treatment else np.ones(len(target), dtype=np.bool_)
    if len(np.unique(target[members])) != _BOTH:
        return realised
    slices = evaluate_slices(
        take(columns, members),
        contract,
        target[members],
        score[members],
        threshold,
        settings=settings or SliceSettings(),
    )
    return realised.model_copy(update={"slices": slices})


def _figures(
    group: Group, members: Members, target: Labels, score: Floats, campaign: Campaign | None
) -> GroupFigures:
    truth, chance = target[members], score[members]
    rows, left = len(truth), int(truth.sum())
    ranked = min(left, rows - left) >= _FEWEST_EACH
    found = GroupFigures(
        group=group, finding="measured" if ranked else "cannot tell", rows=rows, left=left
    )
    if not rows:
        return found
    area = delong(truth, chance) if ranked else None
    profit = None
    if campaign is not None:
        worth = campaign.clv[members]
        profit = campaign_profit(truth, chance, campaign.threshold, worth, campaign.value)
    return found.model_copy(
        update={
            "roc_auc": Estimate(value=area.area, interval=area.interval()) if area else None,
            "churn_rate": Estimate(value=left / rows, interval=wilson_interval(left, rows)),
            "expected_churn_rate": float(chance.mean()),
            "risk": _mean(squared_errors(truth, chance)) if ranked else None,
            "profit": _mean(profit) if ranked and profit is not None else None,
        }
    )


def _mean(values: Floats) -> Estimate:
    half = normal_quantile() * float(values.std(ddof=1)) / np.sqrt(len(values))
    middle = float(values.mean())
    interval = Interval(lower=middle - half, upper=middle + half, level=LEVEL, method="normal")
    return Estimate(value=middle, interval=interval)


def _auc_if_untreated(target: Labels, score: Floats, known: Treatment) -> Estimate | None:
    """The area with each holdout customer counting for the treated ones that it stands for."""
    untreated = ~known.treated
    ours, holdout = target[untreated], known.holdout[untreated]
    if min(np.bincount(ours[holdout], minlength=2)) < _FEWEST_EACH:
        return None
    stands_for = 1 + known.treated.sum() / holdout.sum()
    counts = np.where(holdout, stands_for, 1.0)[:, None]
    ranked = RankedRows.from_scores(ours, score[untreated])
    drawn = [
        ranked.auc(weights * counts)
        for weights in resampled_weights(len(ours), _RESAMPLINGS, _SEED)
    ]
    return Estimate(
        value=float(ranked.auc(counts)[0]), interval=percentile_interval(np.concatenate(drawn))
    )
