"""How well a model does on customers whose outcome is not known yet (CBPE).

Confidence-based performance estimation: where a score is calibrated it says how many of the
customers with that score leave, and so what ROC-AUC, churn rate and profit to expect. It holds as
long as equal customers behave as they did: it sees other customers, never other behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from churn.evaluation.disparities import Estimate
from churn.evaluation.intervals import Interval, normal_quantile
from churn.evaluation.weighted import Floats
from churn.frozen_model import FrozenModel
from churn.monitoring.calibration import FEWEST_ROWS
from churn.monitoring.expected_auc import expected_auc
from churn.monitoring.score_calibrator import ScoreCalibrator
from churn.retention.maximum_profit import maximum_profit
from churn.retention.profit import campaign_profit
from churn.retention.value_settings import ValueSettings

ASSUMES = "covariate shift only: blind to changes of behaviour, including your own campaigns"
METHOD = "normal: outcomes drawn, known customers resampled"
EstimateMethod = Literal["CBPE", "PAPE"]

_RESAMPLINGS = 100
_MOST_SPREAD_ROWS = 5_000  # how far the calibrator moves the figures shows on so many


@dataclass(frozen=True, eq=False)
class Campaign:
    """What a retention campaign would contact, and what it would earn.

    Attributes:
        threshold: the probability from which on a customer is contacted.
        clv: float64[n], what each customer is worth if kept.
        value: the assumptions about money.
    """

    threshold: float
    clv: Floats
    value: ValueSettings


class EstimatedPerformance(FrozenModel):
    """Figures of a window without outcomes; each interval is where the realised one should lie.

    Attributes:
        method: CBPE, or PAPE where the known customers were weighted to look like the window.
        finding: `cannot tell` where there are too few rows.
        reason: in words.
        rows: of the window.
        known_rows: known customers behind the calibration, by their weights; None where the score
            is taken as it is.
        roc_auc: None where it cannot be told.
        churn_rate: share of the customers who will leave.
        profit: of the campaign, per customer contacted or not, in currency.
        most_profit: of the best campaign that the ranking allows (MPC).
        assumes: what the estimate cannot see.
    """

    method: EstimateMethod
    finding: Literal["estimated", "cannot tell"]
    reason: str
    rows: int = Field(ge=0)
    known_rows: float | None = None
    roc_auc: Estimate | None = None
    churn_rate: Estimate | None = None
    profit: Estimate | None = None
    most_profit: float | None = None
    assumes: str = ASSUMES


def estimate_performance(
    score: Floats,
    *,
    calibrator: ScoreCalibrator | None = None,
    campaign: Campaign | None = None,
    method: EstimateMethod = "CBPE",
) -> EstimatedPerformance:
    """Estimates a window's figures.

    Args:
        score: float64[n], the model's probabilities of the window's customers.
        calibrator: from score to probability; None takes the scores as calibrated.
        campaign: for the profit.
        method: how the calibrator's weights came about.

    Raises:
        ValueError: a score is no number between 0 and 1.
    """
    if not ((score >= 0) & (score <= 1)).all():
        raise ValueError("a score is not a number between 0 and 1")
    rows = len(score)
    known = calibrator.effective_rows if calibrator else None
    few = _too_few(rows, known)
    if few:
        return EstimatedPerformance(
            method=method, finding="cannot tell", reason=few, rows=rows, known_rows=known
        )
    chance = calibrator.probability(score) if calibrator else score
    spread = _calibrator_variance(score, calibrator, campaign)
    figures = _figures(score, chance, campaign)
    return EstimatedPerformance(
        method=method,
        finding="estimated",
        reason=f"Estimated from the scores of {rows:,} customers; {ASSUMES}.",
        rows=rows,
        known_rows=known,
        roc_auc=_estimate(figures, spread, 0, most=1.0),
        churn_rate=_estimate(figures, spread, 1, most=1.0),
        profit=_estimate(figures, spread, 2) if campaign else None,
        most_profit=(
            maximum_profit(chance, score, campaign.clv, campaign.value).profit if campaign else None
        ),
    )


def _too_few(rows: int, known: float | None) -> str:
    if rows < FEWEST_ROWS:
        return (
            f"The window has {rows} rows with a score, and an estimate needs {FEWEST_ROWS}. Wait for "
            "more, or mend what has none."
        )
    if known is not None and known < FEWEST_ROWS:
        return (
            f"The known customers count as {known:.0f} after weighting, and an estimate needs "
            f"{FEWEST_ROWS}: too few of them look like the window's. Wait for its outcomes."
        )
    return ""


def _figures(score: Floats, chance: Floats, campaign: Campaign | None) -> Floats:
    """ROC-AUC, churn rate and profit, each with its variance over the outcomes, float64[3, 2]."""
    noise = chance * (1 - chance)
    area = expected_auc(score, chance) or (np.nan, np.nan)
    rate = (chance.mean(), noise.sum() / len(chance) ** 2)
    if campaign is None:
        return np.array([area, rate, (np.nan, np.nan)])
    left, stayed = (
        campaign_profit(each, score, campaign.threshold, campaign.clv, campaign.value)
        for each in (np.ones_like(chance), np.zeros_like(chance))
    )
    profit = chance * left + (1 - chance) * stayed
    variance = noise @ np.square(left - stayed) / len(chance) ** 2
    return np.array([area, rate, (profit.mean(), variance)])


def _calibrator_variance(
    score: Floats, calibrator: ScoreCalibrator | None, campaign: Campaign | None
) -> Floats:
    """How much each figure varies with the known customers, float64[3]."""
    if calibrator is None:
        return np.zeros(3)
    # Evenly along the ranking, so that few rows show what all would.
    some = np.argsort(score, kind="stable")[:: -(-len(score) // _MOST_SPREAD_ROWS)]
    part = campaign and Campaign(campaign.threshold, campaign.clv[some], campaign.value)
    drawn = [
        _figures(score[some], chance, part)[:, 0]
        for chance in calibrator.resampled(score[some], _RESAMPLINGS)
    ]
    return np.asarray(np.var(drawn, axis=0, ddof=1), dtype=np.float64)


def _estimate(
    figures: Floats, spread: Floats, place: int, most: float | None = None
) -> Estimate | None:
    value, variance = figures[place]
    if not np.isfinite(value):
        return None
    half = normal_quantile() * float(np.sqrt(variance + np.nan_to_num(spread[place])))
    lower, upper = float(value) - half, float(value) + half
    if most is not None:
        lower, upper = max(0.0, lower), min(most, upper)
    return Estimate(value=float(value), interval=Interval(lower=lower, upper=upper, method=METHOD))
