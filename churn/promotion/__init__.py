"""The promotion decision: gates that each give a figure, a threshold and a verdict.

`judge_absolute` judges a first model against floors, `judge_challenger` one against the champion.
Neither changes anything: what follows from a decision is the pipeline's.
"""

from churn.promotion.absolute import judge_absolute
from churn.promotion.challenger import judge_challenger
from churn.promotion.decision import (
    Decision,
    Gate,
    GateVerdict,
    Verdict,
    decide,
    require_promotion,
    safely,
    verdict_at_least,
)
from churn.promotion.evidence import BundleCheck, Contender, GateRows
from churn.promotion.overlap import RowDigests, row_digests

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
    "judge_absolute",
    "judge_challenger",
    "require_promotion",
    "row_digests",
    "safely",
    "verdict_at_least",
]
