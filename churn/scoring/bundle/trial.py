"""Tries a bundle before anything depends on it: loads it, replays it, takes its time."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from churn.errors import BundleError
from churn.promotion.contenders import BundleCheck
from churn.scoring.golden_replay import GoldenRow, read_golden
from churn.scoring.scorer import Scorer

_CALLS = 200


def try_bundle(folder: Path, *, latency_budget_ms: float) -> BundleCheck:
    """What serving from this bundle would be like, on this machine and at this moment.

    A bundle that does not load has neither a difference nor a latency.
    """
    try:
        scorer = Scorer.load(folder)
        rows = read_golden(folder)
    except BundleError:
        nothing = float("nan")
        return BundleCheck(
            loads=False,
            golden_max_difference=nothing,
            latency_ms_median=nothing,
            latency_budget_ms=latency_budget_ms,
        )
    return BundleCheck(
        loads=True,
        golden_max_difference=max(
            abs(scorer.score_one(golden.row).logit - golden.logit) for golden in rows
        ),
        latency_ms_median=_latency(scorer, rows),
        latency_budget_ms=latency_budget_ms,
    )


def _latency(scorer: Scorer, rows: tuple[GoldenRow, ...]) -> float:
    """Median milliseconds of scoring one customer, over varied rows."""
    taken = []
    for call in range(_CALLS):
        row = rows[call % len(rows)].row
        began = time.perf_counter()
        scorer.score_one(row)
        taken.append(1000 * (time.perf_counter() - began))
    return median(taken)
