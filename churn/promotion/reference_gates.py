"""Gates against references that do not move with the champion, so that many small losses cannot add up."""

from __future__ import annotations

from churn.evaluation.delong import paired_delong
from churn.evaluation.plan import PromotionSettings
from churn.promotion.comparison_gates import profit_gate, ranking_gate
from churn.promotion.contenders import Contender, FixedReference, GateRows
from churn.promotion.decision import Gate, unknown_gate
from churn.promotion.evidence_gates import unseen_rows_gate

BEST_RANKING = "ranks no worse than the best so far"
BEST_PROFIT = "earns no less than the best so far"
BASELINE_RANKING = "ranks no worse than the frozen baseline"


def reference_gates(
    challenger: Contender,
    fixed: FixedReference,
    rows: GateRows,
    settings: PromotionSettings,
    *,
    look: int,
) -> list[Gate]:
    """Whether the challenger trails the best version so far, or the frozen baseline, by a total margin.

    `look` counts every look at gate rows: what is promised holds for all promotions together, so
    other customers do not refill the level here.
    """
    total, share = settings.total_roc_auc_margin, settings.total_profit_margin
    broken = rows.problem() or challenger.score_problem(rows.rows)
    gates = []
    for name, other, margin in (
        (BEST_RANKING, fixed.best, total),
        (BASELINE_RANKING, fixed.baseline, settings.roc_auc_margin),
    ):
        problem = broken or other.score_problem(rows.rows)
        if problem:
            gates.append(unknown_gate(name, -margin, problem))
            continue
        gate = ranking_gate(challenger, other, rows, settings, look=look, name=name, margin=margin)
        gates.append(_fair(gate, other, rows))
    if broken:
        return [*gates, unknown_gate(BEST_PROFIT, float("nan"), broken)]
    earned = profit_gate(
        challenger, fixed.best, rows, settings, look=look, name=BEST_PROFIT, share=share
    )
    return [*gates, _fair(earned, fixed.best, rows)]


def leads(challenger: Contender, best: Contender, rows: GateRows) -> bool:
    """Whether the challenger ranks better than the best so far by more than one standard error."""
    if rows.problem() or any(each.score_problem(rows.rows) for each in (challenger, best)):
        return False
    found = paired_delong(rows.target, challenger.logit, best.logit)
    return found.difference > found.standard_error


def _fair(gate: Gate, reference: Contender, rows: GateRows) -> Gate:
    """A reference that learned from these rows is flattered: who falls short of it may still be as good."""
    unseen = unseen_rows_gate(reference, rows, role="reference", otherwise="fail")
    if "pass" in (gate.verdict, unseen.verdict):
        return gate
    return gate.model_copy(
        update={
            "verdict": "insufficient evidence",
            "sentence": f"{gate.sentence} {unseen.sentence}",
        }
    )
