"""The two tables that a validator compares: what they need to have, and how many rows are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from churn.checks.validators.validator_report import ValidatorFinding, ValidatorReport
from churn.checks.validators.validator_settings import ValidatorSettings
from churn.contract import DataContract
from churn.data.quality.verdict import worst_verdict
from churn.errors import InputError


@dataclass(frozen=True, eq=False)
class Tables:
    """Reference rows and current rows, at most as many as the settings allow.

    Attributes:
        reference: Shape [m, columns], rows counted from 0.
        current: Shape [n, columns], rows counted from 0.
        contract: What the columns mean.
        notes: What was not checked.
    """

    reference: pd.DataFrame
    current: pd.DataFrame
    contract: DataContract
    notes: tuple[str, ...] = ()

    def report(
        self,
        validator: str,
        version: str,
        findings: Sequence[ValidatorFinding],
        notes: Iterable[str] = (),
    ) -> ValidatorReport:
        """The report on these tables; `notes` says what was left out besides their own notes."""
        return ValidatorReport(
            validator=validator,
            version=version,
            contract=self.contract.name,
            contract_digest=self.contract.digest(),
            title=self.contract.title,
            target=self.contract.target.name,
            reference_rows=len(self.reference),
            current_rows=len(self.current),
            verdict=worst_verdict(findings),
            findings=tuple(findings),
            notes=(*self.notes, *notes),
        )


def prepare_tables(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    contract: DataContract,
    settings: ValidatorSettings,
    *,
    target: str,
) -> Tables:
    """Both tables, drawn without replacement where they are long.

    Raises:
        InputError: a table is empty, lacks a column or has it twice, or the target is not the
            contract's.
    """
    if target != contract.target.name:
        raise InputError(
            f"The validator was told that '{target}' holds the outcome, but contract "
            f"'{contract.name}' says '{contract.target.name}'; name that one."
        )
    for name, table in (("reference", reference), ("current", current)):
        if table.empty:
            raise InputError(f"The {name} rows are none; a validator needs some on both sides.")
        header = list(table.columns)
        wrong = [each for each in contract.names if header.count(each) != 1]
        if wrong:
            how = "is missing from" if wrong[0] not in header else "stands twice in"
            raise InputError(
                f"Column '{wrong[0]}' {how} the {name} rows; contract '{contract.name}' needs it "
                "once."
            )
    maximum_rows, random = settings.maximum_rows, np.random.default_rng(settings.seed)
    notes = tuple(
        f"Of {len(table):,} {name} rows {maximum_rows:,} were drawn and looked at."
        for name, table in (("reference", reference), ("current", current))
        if len(table) > maximum_rows
    )

    def cut(table: pd.DataFrame) -> pd.DataFrame:
        if len(table) > maximum_rows:
            kept = np.sort(random.choice(len(table), size=maximum_rows, replace=False))
            table = table.iloc[kept]
        return table.reset_index(drop=True)

    return Tables(cut(reference), cut(current), contract, notes)
