"""What Deepchecks found: every condition, its verdict, and one sentence about each.

Neither rows nor customers' ids appear, so that a report can be shown and logged anywhere.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from churn.data.quality.verdict import Severity, Verdict, pluralize, require_worst, with_verdict
from churn.frozen_model import FrozenModel

SuiteName = Literal["data_integrity", "train_test_validation", "model_evaluation"]

# A failure that stops nothing is "shown" in a report's file, and a warning everywhere else.
StoredSeverity = Annotated[
    Severity,
    BeforeValidator(lambda stored: "warning" if stored == "shown" else stored),
    PlainSerializer(lambda severity: "shown" if severity == "warning" else severity),
]


class Finding(FrozenModel):
    """One condition of one check.

    Attributes:
        suite: The suite it belongs to.
        check: The check's class, as the settings name it.
        name: The same for a person.
        rows: The rows it checked.
        condition: The condition, in Deepchecks' words.
        severity: What a failure means: critical stops a model, a warning is shown.
        verdict: Pass, warn or fail.
        sentence: What was found, in Deepchecks' words.
        reason: Why a failure would only be shown; empty for a critical one.
    """

    suite: SuiteName
    check: str
    name: str
    rows: str
    condition: str
    severity: StoredSeverity
    verdict: Verdict
    sentence: str
    reason: str = ""


class LeftOut(FrozenModel):
    """A check of a suite that was not run, and why."""

    suite: SuiteName
    check: str
    reason: str


class ValidationReport(FrozenModel):
    """Deepchecks' verdict on a table, its split and a model.

    Attributes:
        contract: Name of the contract that the columns follow.
        contract_digest: SHA-256 of what that contract says.
        title: What the table is, in the contract's words.
        recipe: The model's recipe.
        version: Deepchecks' own.
        seed: Behind its draws and ours.
        table_rows: Customers in the table.
        development_rows: Development rows that were checked.
        gate_rows: Gate rows that were checked.
        verdict: fail where a critical condition failed, warn where a lesser one did, else pass.
        findings: Every condition, in the order of the suites.
        left_out: Every check that was not run.
        seconds: Suite -> how long it took.
    """

    contract: str
    contract_digest: str
    title: str
    recipe: str
    version: str
    seed: int
    table_rows: int = Field(ge=0)
    development_rows: int = Field(ge=0)
    gate_rows: int = Field(ge=0)
    verdict: Verdict
    findings: tuple[Finding, ...] = Field(min_length=1)
    left_out: tuple[LeftOut, ...] = ()
    seconds: dict[SuiteName, float]

    @model_validator(mode="after")
    def _verdict_follows_the_findings(self) -> Self:
        require_worst(self.verdict, self.findings, "findings")
        return self

    @property
    def held(self) -> int:
        """How many conditions held."""
        return len(with_verdict(self.findings, "pass"))

    @property
    def failures(self) -> tuple[Finding, ...]:
        """Failed conditions that stop a model."""
        return with_verdict(self.findings, "fail")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Failed conditions that are only shown."""
        return with_verdict(self.findings, "warn")

    @property
    def sentence(self) -> str:
        """The whole report in one sentence."""
        conditions = pluralize(len(self.findings), "condition", "conditions")
        if self.verdict == "pass":
            return f"{conditions} in {len(self.seconds)} suites: all hold."
        failed = len(self.failures)
        parts = [pluralize(failed, "critical one fails", "critical ones fail")] if failed else []
        warned = len(self.warnings)
        parts += [pluralize(warned, "warning", "warnings")] if warned else []
        return f"{conditions} in {len(self.seconds)} suites: {' and '.join(parts)}."

    def failure_sentence(self) -> str:
        """Why the model is held back: check, rows, and what was found; '' where it is not."""
        if not self.failures:
            return ""
        first, others = self.failures[0], len(self.failures) - 1
        also = f" ({pluralize(others, 'other fails', 'others fail')}, too)" if others else ""
        return f"Deepchecks refuses at '{first.name}' on {first.rows}{also}: {first.sentence}"
