"""What staying with a model costs, and whether a retraining would pay for itself.

The trade-off of Mahadevan & Mathioudakis (Cara, arXiv 2310.04216): retraining has a price, and so has
every month with a stale model. Two rules follow from it. If the cost of a stale month grows evenly,
the cheapest moment is when what was lost since the last training equals the price of the next one.
If it jumps and stays, waiting for that only loses as much again, so a retraining that pays back
within a stated time need not wait. Both look at a lower limit, as a forecast's risk is bounded in
UPF (Regol et al., ICML 2025): noise must not retrain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from churn.evaluation.intervals import normal_quantile
from churn.frozen_model import FrozenModel, FrozenSettings


class CostRule(FrozenSettings):
    """What a retraining costs, and when it has to have paid.

    Attributes:
        retraining: what one costs in all, in the currency of the profits: people, machines, risk.
        pays_back_months: a retraining that earns its price within so many months is worth it.
        confidence: of the one-sided lower limit that the loss is judged by.
    """

    retraining: Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
    pays_back_months: Annotated[float, Field(gt=0, le=120)] = 6.0
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.9


class StaleMonth(FrozenModel):
    """What a month with the champion lost against a newly trained model.

    Attributes:
        until: the end of the month.
        lost: in currency; below 0 where the champion earned more.
        error: standard error of `lost`.
        basis: `realised` from outcomes, `estimated` from scores alone.
    """

    until: AwareDatetime
    lost: float = Field(allow_inf_nan=False)
    error: float = Field(ge=0, allow_inf_nan=False)
    basis: Literal["realised", "estimated"]


def retraining_pays(months: Sequence[StaleMonth], rule: CostRule) -> tuple[bool, str]:
    """Whether a retraining pays for itself, and the figures in a sentence.

    Args:
        months: since the champion was trained, in any order.
        rule: the price, and how long it may take to pay back.
    """
    if not months:
        return False, "What staying with the champion costs is not known yet."
    newest = max(months, key=lambda each: each.until)
    quantile = normal_quantile(2 * rule.confidence - 1)
    error = math.sqrt(sum(each.error**2 for each in months))
    lost = sum(each.lost for each in months) - quantile * error
    ahead = (newest.lost - quantile * newest.error) * rule.pays_back_months
    return max(lost, ahead) >= rule.retraining, (
        f"With {rule.confidence:.0%} confidence the champion has lost {max(lost, 0):,.0f} since it "
        f"was trained and will lose {max(ahead, 0):,.0f} in {rule.pays_back_months:g} months; a "
        f"retraining costs {rule.retraining:,.0f}."
    )
