"""What a stack's data validator found: the same report whichever library judged.

Neither rows nor customers' ids appear, so that a report can be shown and logged anywhere.
"""

from __future__ import annotations

from typing import Literal, Protocol, Self, runtime_checkable

import pandas as pd
from pydantic import Field, model_validator

from churn.contract import DataContract
from churn.errors import InputError
from churn.frozen_model import FrozenModel

Standing = Literal["fine", "attention", "failed"]
"""attention is shown and stops nothing; failed stops the run that asked."""


class ValidatorFinding(FrozenModel):
    """One thing that was looked at.

    Attributes:
        check: What was looked at, in a word or two.
        column: The column it concerns; '' for the table as a whole, or for several.
        figure: What was measured; None where the library answers in words alone.
        threshold: The limit that the figure was held to; None where there is no single one.
        standing: What it came to.
        sentence: What was found, for a person to read.
    """

    check: str = Field(min_length=1)
    column: str = ""
    figure: float | None = Field(default=None, allow_inf_nan=False)
    threshold: float | None = Field(default=None, allow_inf_nan=False)
    standing: Standing
    sentence: str = Field(min_length=1)


class ValidatorReport(FrozenModel):
    """A validator's verdict on current rows, seen beside reference rows.

    Attributes:
        validator: The library that judged, by its own name.
        version: Its version.
        contract: Name of the contract that the columns follow.
        contract_digest: SHA-256 of what that contract says.
        title: What the table is, in the contract's words.
        target: The column that holds the outcome.
        reference_rows: Reference rows that were looked at.
        current_rows: Current rows that were looked at.
        verdict: failed where a finding failed, attention where one asks for it, else fine.
        findings: Everything that was looked at, in the validator's order.
        notes: What was left out, and why.
        html: A page of the validator's own; empty where `churn.reports.validator_page` draws it.
    """

    validator: str = Field(min_length=1)
    version: str = Field(min_length=1)
    contract: str
    contract_digest: str
    title: str
    target: str
    reference_rows: int = Field(ge=1)
    current_rows: int = Field(ge=1)
    verdict: Standing
    findings: tuple[ValidatorFinding, ...] = Field(min_length=1)
    notes: tuple[str, ...] = ()
    html: str = ""

    @model_validator(mode="after")
    def _verdict_follows_the_findings(self) -> Self:
        if self.verdict != verdict_of(self.findings):
            raise ValueError(f"verdict {self.verdict!r} contradicts the findings")
        return self

    def standing_at(self, standing: Standing) -> tuple[ValidatorFinding, ...]:
        """The findings of one standing."""
        return tuple(each for each in self.findings if each.standing == standing)

    @property
    def sentence(self) -> str:
        """The whole report in one sentence."""
        asked = _count(len(self.findings), "check", "checks")
        opening = f"{self.validator} {self.version}, {asked}"
        if self.verdict == "fine":
            return f"{opening}: all fine."
        failed, noticed = (len(self.standing_at(each)) for each in ("failed", "attention"))
        told = [f"{failed:,} failed"] if failed else []
        told += [_count(noticed, "asks for attention", "ask for attention")] if noticed else []
        return f"{opening}: {' and '.join(told)}."

    def failure_sentence(self) -> str:
        """Why the rows are refused: check, column, figure and way out; '' where they are not."""
        failed = self.standing_at("failed")
        if not failed:
            return ""
        first, others = failed[0], len(failed) - 1
        also = f" ({_count(others, 'other fails', 'others fail')}, too)" if others else ""
        return (
            f"{self.validator}, the stack's data validator, refuses the rows at "
            f"'{first.check}'{also}: {first.sentence} Mend the table, or change the validator's "
            "settings in the stack's file."
        )


@runtime_checkable
class DataValidator(Protocol):
    """What a stack's data validator can do, whichever library is behind it."""

    def validate(
        self,
        reference: pd.DataFrame,
        current: pd.DataFrame,
        contract: DataContract,
        *,
        target: str,
    ) -> ValidatorReport:
        """Looks at current rows beside reference rows.

        Args:
            reference: Rows that are known to be good, typed by the contract, shape [m, columns].
            current: Rows in question, typed by the contract, shape [n, columns].
            contract: What the columns mean.
            target: The column that holds the outcome.

        Raises:
            InputError: the library is not installed, or a table cannot be looked at.
        """
        ...


def verdict_of(findings: tuple[ValidatorFinding, ...]) -> Standing:
    """The verdict that a set of findings amounts to."""
    found = {each.standing for each in findings}
    return "failed" if "failed" in found else "attention" if "attention" in found else "fine"


def require(report: ValidatorReport) -> None:
    """Lets rows through that no finding refuses.

    Raises:
        InputError: a finding failed; the message names it, its column, its figure and the way out.
    """
    if report.verdict == "failed":
        raise InputError(report.failure_sentence())


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
