"""What a stack's data validator found: the same report whichever library judged.

Neither rows nor customers' ids appear, so that a report can be shown and logged anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from types import MappingProxyType
from typing import Annotated, Protocol, Self, runtime_checkable

import pandas as pd
from pydantic import (
    AliasChoices,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from churn.contract import DataContract
from churn.data.quality.verdict import Verdict, pluralize, require_worst, with_verdict
from churn.errors import InputError
from churn.frozen_model import FrozenModel

_WORDS: Mapping[Verdict, str] = MappingProxyType(
    {"pass": "fine", "warn": "attention", "fail": "failed"}
)
"""How a verdict is written on pages and in a report's file: attention stops nothing."""

StoredVerdict = Annotated[
    Verdict,
    BeforeValidator(
        lambda stored: {word: each for each, word in _WORDS.items()}.get(stored, stored)
    ),
    PlainSerializer(lambda verdict: _WORDS[verdict]),
]


class ValidatorFinding(FrozenModel):
    """The result of one check.

    Attributes:
        check: What was checked, in a word or two.
        column: The column it concerns; '' for the table as a whole, or for several.
        figure: What was measured; None where the library answers in words alone.
        threshold: The limit that the figure was held to; None where there is no single one.
        verdict: Pass, warn or fail; in a report's file it is called `standing`.
        sentence: What was found, for a person to read.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    check: str = Field(min_length=1)
    column: str = ""
    figure: float | None = Field(default=None, allow_inf_nan=False)
    threshold: float | None = Field(default=None, allow_inf_nan=False)
    verdict: StoredVerdict = Field(
        validation_alias=AliasChoices("verdict", "standing"), serialization_alias="standing"
    )
    sentence: str = Field(min_length=1)

    @property
    def verdict_word(self) -> str:
        """The verdict as pages and metadata write it."""
        return _WORDS[self.verdict]


class ValidatorReport(FrozenModel):
    """A validator's verdict on current rows, compared with reference rows.

    Attributes:
        validator: The library that judged, by its own name.
        version: Its version.
        contract: Name of the contract that the columns follow.
        contract_digest: SHA-256 of what that contract says.
        title: What the table is, in the contract's words.
        target: The column that holds the outcome.
        reference_rows: Reference rows that were checked.
        current_rows: Current rows that were checked.
        verdict: Verdict of its worst finding.
        findings: Every check, in the validator's order.
        notes: What was left out, and why.
        html: A page of the validator's own; empty where `churn.reports.validator_page` draws it.
    """

    validator: str = Field(min_length=1)
    version: str = Field(min_length=1)
    contract: str
    contract_digest: str
    title: str
    target: str
    reference_rows: int = Field(ge=0)
    current_rows: int = Field(ge=0)
    verdict: StoredVerdict
    findings: tuple[ValidatorFinding, ...] = Field(min_length=1)
    notes: tuple[str, ...] = ()
    html: str = ""

    @model_validator(mode="after")
    def _verdict_follows_the_findings(self) -> Self:
        require_worst(self.verdict, self.findings, "findings")
        return self

    @property
    def verdict_word(self) -> str:
        """The verdict as pages and metadata write it."""
        return _WORDS[self.verdict]

    @property
    def failures(self) -> tuple[ValidatorFinding, ...]:
        """Findings that stop the run."""
        return with_verdict(self.findings, "fail")

    @property
    def warnings(self) -> tuple[ValidatorFinding, ...]:
        """Findings that ask for attention and stop nothing."""
        return with_verdict(self.findings, "warn")

    @property
    def sentence(self) -> str:
        """The whole report in one sentence."""
        checks = pluralize(len(self.findings), "check", "checks")
        opening = f"{self.validator} {self.version}, {checks}"
        if self.verdict == "pass":
            return f"{opening}: all fine."
        failed, warned = len(self.failures), len(self.warnings)
        parts = [f"{failed:,} failed"] if failed else []
        parts += [pluralize(warned, "asks for attention", "ask for attention")] if warned else []
        return f"{opening}: {' and '.join(parts)}."

    def failure_sentence(self) -> str:
        """Why the rows are refused: check, column, figure and way out; '' where they are not."""
        if not self.failures:
            return ""
        first, others = self.failures[0], len(self.failures) - 1
        also = f" ({pluralize(others, 'other fails', 'others fail')}, too)" if others else ""
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
        """Compares current rows with reference rows; the same input gives the same report.

        Args:
            reference: Known rows, typed by the contract, shape [m, columns].
            current: Rows to be checked, typed by the contract, shape [n, columns].
            contract: What the columns mean.
            target: The column that holds the outcome.

        Raises:
            InputError: the library is not installed, or a table cannot be checked.
        """
        ...


def drift_sentence(column: str, measured: str, limit: str, *, drifted: bool) -> str:
    """Says how a column's distribution compares with the reference rows'; no full stop."""
    how = "otherwise than" if drifted else "as"
    return f"{column} is distributed {how} in the reference rows: {measured}, {limit} is the limit"


def drift_finding(
    column: str, figure: float, limit: float, verdict: Verdict, *, library: str, method: str
) -> ValidatorFinding:
    """A column's drift; a figure that is not finite counts as a failure."""
    if not isfinite(figure):
        return ValidatorFinding(
            check="drift",
            column=column,
            threshold=limit,
            verdict="fail",
            sentence=f"{column}: {library} has no figure for its drift, so it counts as drifted.",
        )
    measured, drifted = f"{method} {figure:.3f}", verdict != "pass"
    return ValidatorFinding(
        check="drift",
        column=column,
        figure=figure,
        threshold=limit,
        verdict=verdict,
        sentence=f"{drift_sentence(column, measured, f'{limit:g}', drifted=drifted)}.",
    )


def require(report: ValidatorReport) -> None:
    """Refuses rows if a finding failed.

    Raises:
        InputError: a finding failed; the message names it, its column, its figure and the way out.
    """
    if report.verdict == "fail":
        raise InputError(report.failure_sentence())
