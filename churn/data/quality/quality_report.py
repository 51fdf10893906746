"""What the quality gate found: every check, its verdict, and one sentence about each.

Rows are named by number, 1 for the first customer below the header; customers' ids never appear,
so that a report can be shown and logged anywhere.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from churn.data.quality.verdict import (
    Severity,
    Verdict,
    failed_as,
    pluralize,
    require_worst,
    with_verdict,
)
from churn.errors import InputError
from churn.frozen_model import FrozenModel

Topic = Literal["table", "types", "blanks", "values", "relations", "distribution"]

REAL_CUSTOMERS = "customers are real"
"""The check that fails, as a warning, where a customer is synthetic; a table without any has no such check."""

NAMED_ROWS = 20
"""How many failing rows a check names at most; it counts them all."""


class Check(FrozenModel):
    """Result of one check.

    Attributes:
        name: What was checked, unique within a report.
        topic: The group it belongs to.
        expectation: The Great Expectations type that judged it.
        columns: The columns it concerns; all of them for a check of the whole table.
        severity: What its failure means: critical stops the pipeline, warning is shown.
        success: Whether it held.
        sentence: What was found, for a person to read.
        observed: What was seen, briefly.
        expected: What was expected, briefly.
        way_out: What to do where it failed.
        failing_rows: The first failing rows' numbers, 1-based, at most `NAMED_ROWS`.
        failing_count: How many rows fail in all; 0 where a check is not about single rows.
    """

    name: str
    topic: Topic
    expectation: str
    columns: tuple[str, ...]
    severity: Severity
    success: bool
    sentence: str
    observed: str
    expected: str
    way_out: str
    failing_rows: tuple[int, ...] = Field(default=(), max_length=NAMED_ROWS)
    failing_count: int = Field(default=0, ge=0)

    @property
    def verdict(self) -> Verdict:
        """Pass if it held; else what its severity says."""
        return "pass" if self.success else failed_as(self.severity)


class QualityReport(FrozenModel):
    """The gate's verdict on one table.

    Attributes:
        contract: Name of the contract the suite was generated from.
        contract_digest: SHA-256 of what that contract says.
        title: What the table is, in the contract's words.
        rows: Customers in the table.
        columns: Columns in the table.
        accepted_rows: Customers in the accepted snapshot it was compared with; None without one.
        verdict: fail where a critical check failed, warn where only lesser ones did, else pass.
        checks: Every check, in the order of the suite.
        notes: What was left out, and why.
    """

    contract: str
    contract_digest: str
    title: str
    rows: int = Field(ge=0)
    columns: int = Field(ge=0)
    accepted_rows: int | None
    verdict: Verdict
    checks: tuple[Check, ...] = Field(min_length=1)
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _verdict_follows_the_checks(self) -> Self:
        require_worst(self.verdict, self.checks, "checks")
        return self

    @property
    def held(self) -> int:
        """How many checks held."""
        return sum(check.success for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """Failed checks whose failure stops the pipeline."""
        return with_verdict(self.checks, "fail")

    @property
    def warnings(self) -> tuple[Check, ...]:
        """Failed checks that are only shown."""
        return with_verdict(self.checks, "warn")

    @property
    def synthetic(self) -> bool:
        """Whether a customer of the table is made up."""
        return any(check.name == REAL_CUSTOMERS for check in self.warnings)

    @property
    def sentence(self) -> str:
        """The whole report in one sentence."""
        table = f"{pluralize(self.rows, 'customer', 'customers')}, {len(self.checks)} checks"
        if self.verdict == "pass":
            return f"{table}: all hold."
        failed, warned = len(self.failures), len(self.warnings)
        parts = (
            [pluralize(failed, "critical check fails", "critical checks fail")] if failed else []
        )
        parts += [pluralize(warned, "warning", "warnings")] if warned else []
        return f"{table}: {' and '.join(parts)}."

    def failure_sentence(self) -> str:
        """Why the table is refused: check, columns, first rows and way out; '' where it is not."""
        if not self.failures:
            return ""
        first, others = self.failures[0], len(self.failures) - 1
        also = f" ({pluralize(others, 'other fails', 'others fail')}, too)" if others else ""
        return (
            f"The quality gate refuses the table at check '{first.name}'{also}: {first.sentence} "
            f"{first.way_out}"
        )


def require(report: QualityReport) -> None:
    """Refuses a table if a critical check failed.

    Raises:
        InputError: a critical check failed; the message names it, its columns, the first failing
            rows and the way out.
    """
    if report.verdict == "fail":
        raise InputError(report.failure_sentence())
