"""The nested protocol: tuned candidates beside frozen recipes, on the same folds."""

from __future__ import annotations

from collections.abc import Mapping

from churn.evaluation.cross_validation import OnFold
from churn.evaluation.plan import ProtocolPlan
from churn.evaluation.protocol import ProtocolReport, run_protocol
from churn.evaluation.weighted import Labels
from churn.features.encoding import Columns
from churn.models.candidate import Candidate

NESTED_REPEATS = 1
"""Fifty tunings would take too long; five, each within a training part, show what tuning is worth."""


def nested_protocol(
    candidates: Mapping[str, Candidate],
    columns: Columns,
    target: Labels,
    plan: ProtocolPlan,
    *,
    baseline: str,
    on_fold: OnFold | None = None,
    workers: int = 1,
) -> ProtocolReport:
    """Cross-validates candidates once, whatever the plan repeats.

    A tuned candidate tunes within each training part, so no row that judges it has tuned it (Cawley
    & Talbot 2010, JMLR 11:2079-2107). The folds are those of the plan's first repeat: a
    candidate judged under the whole plan was judged on these, too.

    `candidates` are tuned ones and the frozen recipes to set them beside; the other arguments and
    the errors are those of `run_protocol`.
    """
    once = plan.model_copy(update={"repeats": NESTED_REPEATS})
    return run_protocol(
        candidates, columns, target, once, baseline=baseline, on_fold=on_fold, workers=workers
    )
