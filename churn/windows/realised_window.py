"""How a version did on the predictions whose outcome is due: figures, risk test, and known customers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from pydantic import AwareDatetime, Field

from churn.batch.output_folder import OutputFolder
from churn.features.encoding import Columns, take
from churn.frozen_model import FrozenModel
from churn.ledger.settled_outcomes import OutcomeCounts, SettledOutcomes
from churn.monitoring.estimated_performance import Campaign
from churn.monitoring.realised_performance import (
    RealisedPerformance,
    Treatment,
    measure_realised,
    with_slices,
)
from churn.monitoring.risk_test import RiskCheck, RiskTest, squared_errors, start_risk_test
from churn.scoring.scorer import Scorer
from churn.windows.kept_columns import kept_columns

KNOWN_OUTCOMES = 500
"""The first untreated outcomes of a version: what later ones are compared with by the risk test."""

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


class RealisedWindow(FrozenModel):
    """What the ledger's outcomes say of a version.

    Attributes:
        since: first moment of the predictions that are measured.
        until: the first moment whose predictions are not due.
        counts: what became of all predictions since then, and what is wrong with outcomes.
        customers: measured, each once, by the first prediction.
        with_inputs: of them, whose inputs were kept, so that slices know them.
        performance: the figures; None where no outcome can be measured.
    """

    since: AwareDatetime
    until: AwareDatetime
    counts: OutcomeCounts
    customers: int = Field(ge=0)
    with_inputs: int = Field(ge=0)
    performance: RealisedPerformance | None = None

    @property
    def sentence(self) -> str:
        """The realised figures beside what the scores had said."""
        if self.performance is None:
            return f"no outcome of predictions before {self.until:%Y-%m-%d} can be measured"
        ours = self.performance.untreated
        said = f"{ours.left:,} of {ours.rows:,} untreated customers left"
        if ours.expected_churn_rate is not None:
            said += f", {ours.expected_churn_rate * ours.rows:,.0f} by their scores"
        if ours.roc_auc is not None:
            return f"{said}; ROC-AUC {ours.roc_auc.text('.3f')}"
        return f"{said}; too few of either to tell the ROC-AUC"

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader has to know."""
        notes = self.performance.notes if self.performance else ()
        missing = self.customers - self.with_inputs
        if missing:
            notes += (
                f"{missing:,} measured customers are in no slice: their inputs were not kept, or not for so long.",
            )
        return (*self.counts.sentences, *notes)


@dataclass(frozen=True, eq=False)
class KnownCustomers:
    """Untreated customers whose outcome and inputs are known.

    Attributes:
        score: float64[n], what the version gave them.
        target: int8[n], 1 for who left.
        columns: their features [n].
    """

    score: NDArray[np.float64]
    target: NDArray[np.int8]
    columns: Columns


def measure_outcomes(
    settled: SettledOutcomes,
    scorer: Scorer,
    folder: OutputFolder,
    campaign: Campaign,
    *,
    since: datetime,
    until: datetime,
) -> tuple[RealisedWindow, KnownCustomers]:
    """Measures settled outcomes, a customer once; slices know those whose inputs were kept.

    Args:
        settled: of one version.
        scorer: that version.
        folder: of the model's kept inputs.
        campaign: what it would earn; one worth for all, as `Campaign.clv` of one row.
        since: first moment of the predictions.
        until: the first moment whose predictions are not due.

    Raises:
        InputError: a file of kept inputs cannot be read.
    """
    ours = settled.first_of_each_customer()
    columns, found = kept_columns(folder, ours.predictions, scorer)
    score, rows = ours.score, len(ours.target)
    assigned = bool((ours.treated | ours.holdout).any())
    treatment = Treatment(ours.treated, ours.holdout) if assigned else None
    performance = None
    if rows:
        worth = replace(campaign, clv=np.repeat(campaign.clv, rows))
        performance = measure_realised(ours.target, score, treatment=treatment, campaign=worth)
        performance = with_slices(
            performance,
            take(columns, found),
            scorer.contract,
            ours.target[found],
            score[found],
            threshold=scorer.threshold,
            treatment=Treatment(ours.treated[found], ours.holdout[found]) if assigned else None,
        )
    facts = RealisedWindow(
        since=since,
        until=until,
        counts=settled.counts,
        customers=rows,
        with_inputs=int(found.sum()),
        performance=performance,
    )
    known = found & ~ours.treated
    return facts, KnownCustomers(score[known], ours.target[known], take(columns, known))


def risk_after(settled: SettledOutcomes, newest: RiskCheck | None) -> RiskTest | None:
    """The risk test after the untreated outcomes that came due since the newest check.

    The first `KNOWN_OUTCOMES` of a version begin it; None where there are fewer.
    """
    since = newest.until if newest is not None else _FIRST
    is_new = np.array([one.predicted_at >= since for one in settled.predictions], dtype=np.bool_)
    ours = settled.where(is_new & ~settled.treated).first_of_each_customer()
    order = np.argsort([one.predicted_at.timestamp() for one in ours.predictions], kind="stable")
    losses = squared_errors(ours.target, ours.score)[order]
    if newest is not None:
        return newest.test.after(losses)
    if len(losses) < KNOWN_OUTCOMES:
        return None
    return start_risk_test(losses[:KNOWN_OUTCOMES]).after(losses[KNOWN_OUTCOMES:])
