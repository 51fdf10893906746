"""Selection of a candidate by cross-validation on the development rows."""

from __future__ import annotations

from churn.evaluation.comparison import PairedDifference
from churn.evaluation.protocol import ProtocolReport
from churn.frozen_model import FrozenModel

SELECTION_RULE = (
    "The candidate with the highest mean ROC-AUC over the development splits is chosen; between "
    "equals, the one that the configuration names first."
)


class Selection(FrozenModel):
    """Which candidate was chosen, and by how much.

    Attributes:
        margin: its lead over the runner-up; None where there was no other candidate.
        report: all candidates, on the development rows.
    """

    chosen: str
    margin: PairedDifference | None
    report: ProtocolReport
    rule: str = SELECTION_RULE

    @property
    def runner_up(self) -> str | None:
        """The second best, if there was one."""
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
        return (
            f"{self.chosen} was chosen, {self.margin.difference:+.4f} ROC-AUC ahead of "
            f"{self.runner_up}; the 95% interval ({self.margin.interval.span('+.4f')}) {conclusion}."
        )


def select_candidate(report: ProtocolReport) -> Selection:
    """Selects a candidate by `SELECTION_RULE`, after cross-validation on the development rows."""
    best, *others = report.ranking
    margin = report.compare(best.name, others[0].name) if others else None
    return Selection(chosen=best.name, margin=margin, report=report)
