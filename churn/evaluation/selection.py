"""Selection of a candidate by cross-validation on the development rows."""

from __future__ import annotations

from churn.evaluation.comparison import PairedDifference, corrected_standard_error
from churn.evaluation.plan import SelectionPlan, SelectionRule
from churn.evaluation.protocol import ProtocolReport
from churn.frozen_model import FrozenModel

RULES: dict[SelectionRule, str] = {
    "best": (
        "The candidate with the highest mean ROC-AUC over the development splits is chosen; between "
        "equals, the one that the configuration names first."
    ),
    "one_standard_error": (
        "Of the candidates whose mean ROC-AUC over the development splits lies within one standard "
        "error of the highest, the simplest is chosen: the one that the configuration names first."
    ),
}


class SimplestCandidate(FrozenModel):
    """The simplest candidate that the best one does not beat by more than one standard error.

    Attributes:
        behind: its mean ROC-AUC less the best one's, over the same splits; 0 where it is the best.
        standard_error: of that difference, corrected for overlapping training sets.
    """

    name: str
    best: str
    behind: float
    standard_error: float

    @property
    def sentence(self) -> str:
        """How it compares with the best."""
        if self.name == self.best:
            return f"No candidate simpler than {self.best} is within one standard error of it."
        return (
            f"{self.name} is simpler than {self.best} and within one standard error of it "
            f"({self.behind:+.5f} ROC-AUC, standard error {self.standard_error:.5f})"
        )


class Selection(FrozenModel):
    """Which candidate was chosen, and by how much.

    Attributes:
        margin: its lead over the best of the others; None where there was no other candidate.
        report: all candidates, on the development rows.
        rule: how it was chosen.
        simplest: the simplest within one standard error; None where there was no other candidate.
        reason: why a simpler one was not taken; empty where there is none.
    """

    chosen: str
    margin: PairedDifference | None
    report: ProtocolReport
    rule: str = RULES["best"]
    simplest: SimplestCandidate | None = None
    reason: str = ""

    @property
    def runner_up(self) -> str | None:
        """The best of the others, if there was one."""
        return self.margin.reference if self.margin else None

    @property
    def clear(self) -> bool:
        """Whether the lead over the runner-up is more than chance could explain."""
        return self.margin is not None and not self.margin.covers_zero

    @property
    def sentence(self) -> str:
        """The choice in words."""
        if self.margin is None:
            return f"{self.chosen} was the only candidate."
        conclusion = "covers 0, so the two cannot be distinguished on these rows"
        if self.clear:
            conclusion = "leaves out 0, more than chance explains"
        text = (
            f"{self.chosen} was chosen, {self.margin.difference:+.4f} ROC-AUC against "
            f"{self.runner_up}; the 95% interval ({self.margin.interval.span('+.4f')}) {conclusion}."
        )
        if self.simplest is None:
            return text
        ending = self.simplest.sentence.rstrip(".")
        if self.reason:
            ending += f"; {self.chosen} is taken because selection.rule is best: {self.reason}"
        return f"{text} {ending.rstrip('.')}."


def select_candidate(report: ProtocolReport, plan: SelectionPlan) -> Selection:
    """Selects a candidate by the plan's rule, after cross-validation on the development rows.

    The report's candidates are in the order of the configuration, which is that of simplicity.
    """
    best = report.ranking[0].name
    if len(report.candidates) == 1:
        return Selection(chosen=best, margin=None, report=report, rule=RULES[plan.rule])
    simplest = _simplest(report, best)
    chosen = simplest.name if plan.rule == "one_standard_error" else best
    other = next(each.name for each in report.ranking if each.name != chosen)
    return Selection(
        chosen=chosen,
        margin=report.compare(chosen, other),
        report=report,
        rule=RULES[plan.rule],
        simplest=simplest,
        reason=plan.reason if chosen != simplest.name else "",
    )


def _simplest(report: ProtocolReport, best: str) -> SimplestCandidate:
    """The first candidate within one standard error of the best (Breiman et al. 1984, section 3.4.3).

    The error is that of the paired difference, as both are judged on the same splits, and Nadeau and
    Bengio's, as every interval here: the plain one ignores that training sets overlap.
    """
    ours = report.result(best).fold_roc_auc
    for candidate in report.candidates:
        gained = [a - b for a, b in zip(candidate.fold_roc_auc, ours, strict=True)]
        behind = sum(gained) / len(gained)
        error = corrected_standard_error(gained, test_share=1 / (report.plan.folds - 1))
        if candidate.name == best or -behind <= error:
            return SimplestCandidate(
                name=candidate.name, best=best, behind=behind, standard_error=error
            )
    raise ValueError(f"{best} is not among the candidates")
