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
from datetime import datetime
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import AwareDatetime, Field

from churn.evaluation.intervals import normal_quantile
from churn.frozen_model import FrozenModel, FrozenSettings
from churn.retention.profit import contact_value
from churn.retention.value_settings import ValueSettings


class CostRule(FrozenSettings):
    """What a retraining costs, and when it has to have paid.

    Attributes:
        retraining: what one costs in all, in the currency of the profits: people, machines, risk.
        pays_back_months: a retraining that earns its price within so many months is worth it.
        confidence: of the one-sided lower limit that the loss is judged by.
    """

    retraining: Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
    pays_back_months: Annotated[float, Field(gt=0, le=120)] = 12.0
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95


class StaleMonth(FrozenModel):
    """What a month with the champion lost against a newly trained model.

    Attributes:
        until: the end of the month.
        lost: in currency; below 0 where the champion earned more.
        error: standard error of `lost`.
        basis: `realised` from outcomes, `estimated` from calibrated scores alone (CBPE).
    """

    until: AwareDatetime
    lost: float = Field(allow_inf_nan=False)
    error: float = Field(ge=0, allow_inf_nan=False)
    basis: Literal["realised", "estimated"]


def measure_stale_month(
    leaving: npt.ArrayLike,
    contacts: npt.NDArray[np.bool_],
    newly_trained_contacts: npt.NDArray[np.bool_],
    clv: npt.ArrayLike,
    value: ValueSettings,
    *,
    until: datetime,
    basis: Literal["realised", "estimated"] = "realised",
) -> StaleMonth:
    """What the champion lost in a month, on the same customers as a newly trained model.

    A lower profit than before is no loss by itself: other customers earn less with any model. Only
    customers that one of the two contacts and the other does not count, so that the error is small.

    Args:
        leaving: [n], outcomes; or, for `estimated`, calibrated probabilities.
        contacts: bool[n], who the champion's campaign contacts.
        newly_trained_contacts: bool[n], who the other's does; it must not have been trained on the
            same rows.
        clv: [n], what each customer is worth if kept.
        value: the assumptions about money.
        until: the end of the month, with its zone.
        basis: what `leaving` is.

    Raises:
        ValueError: the arrays do not match, or hold something else than that.
    """
    earned = contact_value(leaving, clv, value).profit_at(value.acceptance.mean)
    if not contacts.shape == newly_trained_contacts.shape == earned.shape:
        raise ValueError(f"contacts {contacts.shape} and leaving {earned.shape} do not match")
    lost = earned * (newly_trained_contacts.astype(np.int8) - contacts.astype(np.int8))
    error = float(lost.std()) * math.sqrt(len(lost))
    return StaleMonth(until=until, lost=float(lost.sum()), error=error, basis=basis)


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
