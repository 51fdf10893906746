"""What drift is estimated to cost: ROC-AUC and profit of the window beside those of the training rows."""

from __future__ import annotations

import numpy as np

from churn.features.encoding import Columns, Floats, take
from churn.frozen_model import FrozenModel
from churn.monitoring.calibration import FEWEST_ROWS
from churn.monitoring.classifier_test import MOST_ROWS
from churn.monitoring.drift_reference import DriftReference
from churn.monitoring.estimated_performance import (
    Campaign,
    EstimatedPerformance,
    estimate_performance,
)
from churn.monitoring.importance_weights import window_calibrator
from churn.monitoring.score_calibrator import ScoreCalibrator
from churn.retention.value import lifetime_values
from churn.retention.value_settings import ValueSettings
from churn.scoring.scorer import Scorer
from churn.windows.realised_window import KnownCustomers
from churn.windows.window import Window

FEWEST_KNOWN = 200
FEWEST_EACH = 10
"""Known customers, and of either outcome, that an estimate by them needs."""

_SEED = 17


class Consequence(FrozenModel):
    """Estimated figures, without any outcome.

    Attributes:
        before: of the training rows, by their scores.
        now: of the window's customers that have a score.
        weighted: the same by known customers, weighted to look like the window's (PAPE).
        money: what amounts are in.
        assumptions: about money, a sentence each.
    """

    before: EstimatedPerformance
    now: EstimatedPerformance
    weighted: EstimatedPerformance
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
        if self.weighted.roc_auc:
            said += f"; by known customers (PAPE) ROC-AUC {self.weighted.roc_auc.value:.3f}"
        return f"{said} (estimated; {now.assumes})"


def average_worth(scorer: Scorer, reference: DriftReference, value: ValueSettings) -> float:
    """What a customer is worth if kept, on average over the training rows."""
    return float(lifetime_values(_average(reference), scorer.contract, value).mean())


def consequence(
    window: Window,
    scorer: Scorer,
    reference: DriftReference,
    value: ValueSettings,
    known: KnownCustomers,
) -> Consequence:
    """Estimates a window's ROC-AUC and profit beside the training rows'.

    Raises:
        InputError: the assumptions about money need a column that the contract has not.
    """
    scored = window.scored
    ours = {name: values[scored] for name, values in window.columns.items()}
    probability = window.probability[scored]
    return Consequence(
        before=_estimate(reference.scores.quantiles, _average(reference), scorer, value),
        now=_estimate(probability, ours, scorer, value),
        weighted=_weighted(probability, ours, scorer, reference, value, known),
        money=value.money,
        assumptions=value.assumptions,
    )


def _average(reference: DriftReference) -> Columns:
    """Every number at its average: a bundle keeps no row that joins a score and a charge."""
    rows = len(reference.scores.quantiles)
    return {"score": reference.scores.quantiles} | {
        name: np.full(rows, number.quantiles.mean()) for name, number in reference.numbers.items()
    }


def _weighted(
    score: Floats,
    columns: Columns,
    scorer: Scorer,
    reference: DriftReference,
    value: ValueSettings,
    known: KnownCustomers,
) -> EstimatedPerformance:
    """The estimate by known customers that look like the window's; `cannot tell` where they are few."""
    rows, each = len(score), np.bincount(known.target, minlength=2)
    if len(known.target) < FEWEST_KNOWN or min(each) < FEWEST_EACH or rows < FEWEST_ROWS:
        return EstimatedPerformance(
            method="PAPE",
            finding="cannot tell",
            reason=(
                f"There are {len(known.target):,} untreated customers whose outcome and inputs are "
                f"known, {each[1]:,} of them left; an estimate by them needs {FEWEST_KNOWN} and "
                f"{FEWEST_EACH} of either, and {FEWEST_ROWS} customers in the window."
            ),
            rows=rows,
            known_rows=float(len(known.target)),
        )
    drawn = np.random.default_rng(_SEED).permutation(rows)[:MOST_ROWS]
    calibrator = window_calibrator(
        known.score,
        known.target,
        reference.codes(known.columns, known.score)[:, :-1],
        reference.codes(take(columns, drawn), score[drawn])[:, :-1],
    )
    return _estimate(score, columns, scorer, value, calibrator)


def _estimate(
    score: Floats,
    columns: Columns,
    scorer: Scorer,
    value: ValueSettings,
    calibrator: ScoreCalibrator | None = None,
) -> EstimatedPerformance:
    # Each is worth the average on both sides: were only the window's own charges joined with its
    # scores, the two profits would differ without any drift.
    each = lifetime_values(columns, scorer.contract, value)
    worth = np.full(len(each), each.mean() if len(each) else 0.0)
    return estimate_performance(
        score,
        calibrator=calibrator,
        campaign=Campaign(scorer.threshold, worth, value),
        method="PAPE" if calibrator else "CBPE",
    )
