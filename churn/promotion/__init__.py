"""The promotion decision: gates that each give a figure, a threshold and a verdict.

`judge_first_model` compares a first model with floors, `judge_challenger` a challenger with the
champion. Neither changes anything: acting on a decision is up to the pipeline.
"""

from churn.promotion.challenger import judge_challenger
from churn.promotion.contenders import BundleCheck, Contender, GateRows
from churn.promotion.decision import (
    Decision,
    Gate,
    GateVerdict,
    Verdict,
    decide,
    hold_on_error,
    verdict_at_least,
)
from churn.promotion.digests import RowDigests, row_digests
from churn.promotion.floor_gates import judge_first_model

__all__ = [
    "BundleCheck",
    "Contender",
    "Decision",
    "Gate",
    "GateRows",
    "GateVerdict",
    "RowDigests",
    "Verdict",
    "decide",
    "hold_on_error",
    "judge_challenger",
    "judge_first_model",
    "row_digests",
    "verdict_at_least",
]
