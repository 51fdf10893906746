"""What drift is estimated to cost: ROC-AUC and profit of the window beside those of the training rows."""

from __future__ import annotations

import numpy as np

from churn.features.encoding import Columns, Floats
from churn.frozen_model import FrozenModel
from churn.monitoring.drift_reference import DriftReference
from churn.monitoring.estimated_performance import (
    Campaign,
    EstimatedPerformance,
    estimate_performance,
)
from churn.retention.value import lifetime_values
from churn.retention.value_settings import ValueSettings
from churn.scoring.scorer import Scorer
from churn.windows.window import Window


class Consequence(FrozenModel):
    """Estimated figures, without any outcome.

    Attributes:
        before: of the training rows, by their scores.
        now: of the window's customers that have a score.
        money: what amounts are in.
        assumptions: about money, a sentence each.
    """

    before: EstimatedPerformance
    now: EstimatedPerformance
    money: str
    assumptions: tuple[str, ...]

    @property
    def roc_auc_change(self) -> float | None:
        """How much the ROC-AUC changes; None where it cannot be told."""
        before, now = self.before.roc_auc, self.now.roc_auc
        return now.value - before.value if before and now else None

    @property
    def profit_change(self) -> float | None:
        """How much the campaign's profit per customer changes; None where it cannot be told."""
        before, now = self.before.profit, self.now.profit
        return now.value - before.value if before and now else None

    @property
    def sentence(self) -> str:
        """ROC-AUC and profit, now and before, with what the estimate cannot see."""
        before, now = self.before, self.now
        if now.finding == "cannot tell" or not (now.roc_auc and before.roc_auc):
            return f"Cannot be estimated. {now.reason}"
        said = f"ROC-AUC {now.roc_auc.value:.3f}, of the training rows {before.roc_auc.value:.3f}"
        if now.profit and before.profit:
            said += (
                f"; profit {now.profit.value:,.2f} {self.money} a customer, of the training rows "
                f"{before.profit.value:,.2f}"
            )
        return f"{said} (estimated; {now.assumes})"


def consequence(
    window: Window, scorer: Scorer, reference: DriftReference, value: ValueSettings
) -> Consequence:
    """Estimates a window's ROC-AUC and profit beside the training rows'.

    Raises:
        InputError: the assumptions about money need a column that the contract has not.
    """
    scored = window.scored
    known = {name: values[scored] for name, values in window.columns.items()}
    scores = reference.scores.quantiles
    average = {"score": scores} | {  # a bundle keeps no row that joins a score and a charge
        name: np.full(len(scores), number.quantiles.mean())
        for name, number in reference.numbers.items()
    }
    return Consequence(
        before=_estimate(scores, average, scorer, value),
        now=_estimate(window.probability[scored], known, scorer, value),
        money=value.money,
        assumptions=value.assumptions,
    )


def _estimate(
    score: Floats, columns: Columns, scorer: Scorer, value: ValueSettings
) -> EstimatedPerformance:
    # Each is worth the average on both sides: were only the window's own charges joined with its
    # scores, the two profits would differ without any drift.
    each = lifetime_values(columns, scorer.contract, value)
    worth = np.full(len(each), each.mean() if len(each) else 0.0)
    return estimate_performance(score, campaign=Campaign(scorer.threshold, worth, value))
