"""The promotion decision: gates that each give a figure, a threshold and a verdict.

`judge_first_model` judges a first model against floors, `judge_challenger` one against the champion.
Neither changes anything: what follows from a decision is the pipeline's.
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
