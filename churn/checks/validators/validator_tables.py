"""Two tables before they are shown to a validator: what they need to have, and how much is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from churn.contract import DataContract
from churn.errors import InputError


@dataclass(frozen=True, eq=False)
class Tables:
    """Reference rows and current rows, at most as many as were asked for.

    Attributes:
        reference: Shape [m, columns], rows counted from 0.
        current: Shape [n, columns], rows counted from 0.
        notes: What was not looked at.
    """

    reference: pd.DataFrame
    current: pd.DataFrame
    notes: tuple[str, ...] = ()


def look_at(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    contract: DataContract,
    *,
    target: str,
    maximum_rows: int,
    seed: int,
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
    notes = tuple(
        f"Of {len(table):,} {name} rows {maximum_rows:,} were drawn and looked at."
        for name, table in (("reference", reference), ("current", current))
        if len(table) > maximum_rows
    )
    random = np.random.default_rng(seed)

    def cut(table: pd.DataFrame) -> pd.DataFrame:
        if len(table) > maximum_rows:
            kept = np.sort(random.choice(len(table), size=maximum_rows, replace=False))
            table = table.iloc[kept]
        return table.reset_index(drop=True)

    return Tables(cut(reference), cut(current), notes)
