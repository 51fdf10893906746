"""The training report: everything that one training run found about its model."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from churn.checks.deepchecks.deepchecks_report import ValidationReport
from churn.data import Dataset
from churn.data.quality import QualityReport
from churn.data.quality.verdict import Verdict
from churn.data.split import Split, split_basis
from churn.evaluation.gate_rows import GateRowsReport
from churn.evaluation.protocol import ProtocolFigure, ProtocolReport
from churn.evaluation.selection import Selection
from churn.evaluation.slices import SlicesReport
from churn.evaluation.threshold_report import ThresholdReport
from churn.explain.explanation_report import ExplanationReport
from churn.explain.reason_stability import ReasonStability
from churn.frozen_model import FrozenModel
from churn.profile import DEMO, WHOLE_PROFILES
from churn.promotion.decision import Decision
from churn.tuning.searches import Searches

ASSUMPTIONS = (
    (
        "Customers are independent of each other, and tomorrow's resemble this table's; the report "
        "says nothing about drift."
    ),
    "The table's record of who left is right, and nothing in a row was written after the fact.",
    (
        "Intervals hold the fitted models fixed: they say how the figures would move with other "
        "customers, not with another training set."
    ),
)
"""Assumptions of every figure; a report labels each as one."""

_NOTABLE_ERROR = 0.05


class DataFacts(FrozenModel):
    """Which table a model was trained on.

    Attributes:
        location: where it came from, as it was named.
        sha256: SHA-256 of its bytes.
        churn_rate: share of customers who left.
        development_rows: customers used to choose and fit.
        gate_rows: customers set aside before anything was fitted.
        split_basis: what decided who; empty in a report from before it was said.
        left_out: a sentence for each engineered column that a recipe asks for and the contract lacks
            a role for.
    """

    title: str
    location: str
    sha256: str
    rows: int
    columns: int
    churn_rate: float
    development_rows: int
    gate_rows: int
    split_basis: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def set_aside(self) -> str:
        """The gate rows, and what decided who, in words."""
        basis = f" set aside {self.split_basis}" if self.split_basis else ""
        return f"{self.gate_rows:,} gate rows{basis}"

    @classmethod
    def from_dataset(
        cls, customers: Dataset, split: Split, *, left_out: tuple[str, ...] = ()
    ) -> Self:
        """Returns the facts of a table and its split."""
        return cls(
            title=customers.contract.title,
            location=customers.source.location,
            sha256=customers.source.sha256,
            rows=customers.rows,
            columns=len(customers.contract.columns),
            churn_rate=customers.target_rate,
            development_rows=len(split.development),
            gate_rows=len(split.gate),
            split_basis=split_basis(customers.frame, customers.contract),
            left_out=left_out,
        )


class QualityFacts(FrozenModel):
    """The quality gate's result for that table.

    Attributes:
        passed: checks that held, of the total.
        findings: a sentence for each that did not.
        synthetic: whether the customers are made up.
    """

    verdict: Verdict
    passed: int
    total: int
    findings: tuple[str, ...] = ()
    synthetic: bool = False

    @classmethod
    def from_report(cls, report: QualityReport) -> Self:
        """Returns the facts of a quality report."""
        return cls(
            verdict=report.verdict,
            passed=report.held,
            total=len(report.checks),
            findings=tuple(each.sentence for each in (*report.failures, *report.warnings)),
            synthetic=report.synthetic,
        )


class TrainingReport(FrozenModel):
    """Everything one training run found about its model.

    Attributes:
        model_name: the registered model.
        created: when, as it is to be printed.
        profile: full, deep, or the name of a smaller profile.
        selection: how the candidate was chosen, on the development rows.
        protocol: all candidates under the protocol.
        figure: the protocol's figure for the chosen candidate.
        gate_rows: the final model on the rows set aside.
        decision: whether it is cleared for staging.
        slices: the final model within groups of customers.
        explanation: what moves its scores.
        stability: how far its reasons depend on the customers it was fitted on.
        nested: expensive recipes, tuned inside each training fold; None if none was judged. If such a
            recipe was chosen, `protocol` holds these and this the others.
        searches: results of tuning, on the development rows.
        validation: Deepchecks' results; None where it did not run.
    """

    model_name: str
    created: str
    profile: str
    data: DataFacts
    quality: QualityFacts
    selection: Selection
    protocol: ProtocolReport
    figure: ProtocolFigure
    gate_rows: GateRowsReport
    decision: Decision
    threshold: ThresholdReport | None = None
    slices: SlicesReport | None = None
    explanation: ExplanationReport | None = None
    stability: ReasonStability | None = None
    nested: ProtocolReport | None = None
    searches: Searches | None = None
    validation: ValidationReport | None = None
    assumptions: tuple[str, ...] = Field(default=ASSUMPTIONS)

    @property
    def profile_warning(self) -> str | None:
        """The warning beside every figure of a smaller profile; None for a whole one."""
        if self.profile in WHOLE_PROFILES:
            return None
        return (
            f"Profile {self.profile}: these figures are not the protocol's. The run did less of "
            f"the same ({self.protocol.plan.splits} splits, "
            f"{self.protocol.plan.bootstrap_samples:,} resamplings) to be quick."
            + (" It is a demonstration: not for production." if self.profile == DEMO else "")
        )

    @property
    def calibration_notes(self) -> tuple[str, ...]:
        """The recalibration, if one is served, and a sentence for each other uncalibrated candidate."""
        usual = self.protocol.result(self.protocol.baseline)
        corrected = self.threshold if self.threshold and self.threshold.recalibrated else None
        notes = [corrected.recalibration.sentence] if corrected else []
        for each in self.protocol.candidates:
            gained = each.against_baseline
            if each.metrics.ece <= _NOTABLE_ERROR or gained is None:
                continue
            if corrected and each.name == corrected.model:
                continue
            notes.append(
                f"{each.name} changes ROC-AUC by {gained.difference:+.4f} against {usual.name}, "
                f"but its calibration error is {each.metrics.ece:.3f} instead of "
                f"{usual.metrics.ece:.3f}: it ranks customers, its percentages are not chances."
            )
        return tuple(notes)

    @property
    def figures(self) -> dict[str, float]:
        """Figures for a tracker, by dotted name: protocol, gate rows, every candidate's ROC-AUC."""
        result = self.figure.result
        figures = {f"protocol.{name}": figure for name, figure in result.metrics.figures.items()}
        if result.roc_auc_interval is not None:
            figures["protocol.roc_auc_lower"] = result.roc_auc_interval.lower
            figures["protocol.roc_auc_upper"] = result.roc_auc_interval.upper
        figures |= {
            f"gate.{name}": figure for name, figure in self.gate_rows.metrics.figures.items()
        }
        for each in self.protocol.candidates:
            figures[f"candidates.{each.name}.roc_auc"] = each.metrics.roc_auc
        for each in self.nested.candidates if self.nested else ():
            figures[f"nested.{each.name}.roc_auc"] = each.metrics.roc_auc
        if self.stability is not None:
            figures["reasons.first_same"] = self.stability.first_same
        return figures | (self.threshold.figures if self.threshold else {})

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain words, most important first."""
        return (
            self.decision.sentence,
            f"{'Cross-validation' if self.profile_warning else 'Protocol'}: {self.figure.sentence}",
            self.gate_rows.sentence,
            self.selection.sentence,
            *self.calibration_notes,
            *(self.threshold.headlines if self.threshold else ()),
            *(self.explanation.sentences if self.explanation else ()),
            *((self.validation.sentence,) if self.validation else ()),
        )
