"""Which groups of customers are measured by themselves, and when a group is large enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churn.contract import DataContract, NumberColumn, Role
from churn.errors import InputError
from churn.evaluation.plan import SliceSettings
from churn.evaluation.weighted import Labels
from churn.features.encoding import Columns
from churn.features.tenure import BUCKET_NAMES, BUCKET_STARTS

SLICED_ROLES = (Role.SENSITIVE, Role.HOUSEHOLD, Role.CONTRACT_TERM)

NO_GROUPS = "No groups were compared: no column of the data contract has a role for it."


@dataclass(frozen=True, eq=False)
class Slice:
    """A group of customers: those who have a value of a column in common; `member` is bool[n]."""

    column: str
    value: str
    member: npt.NDArray[np.bool_]

    @property
    def name(self) -> str:
        """The name in text."""
        return f"{self.column} = {self.value}"


def declared_slices(columns: Columns, contract: DataContract) -> tuple[list[Slice], list[str]]:
    """The slices that a contract's roles declare, and what was left out.

    Sensitive, household and contract-term columns give one slice a category; tenure gives the
    stages of a customer's life that the features know.

    Returns:
        (slices by column in the contract's order, then tenure; sentences on what was left out).

    Raises:
        InputError: a column is missing.
    """
    slices, notes = [], []
    for column in contract.features:
        if not set(SLICED_ROLES) & set(column.roles):
            continue
        if isinstance(column, NumberColumn):
            notes.append(f"'{column.name}' is left out: it is a number, and no bands are declared.")
            continue
        codes = _column(columns, column.name)
        slices += [Slice(column.name, name, codes == i) for i, name in enumerate(column.categories)]
    tenures = [c for c in contract.with_role(Role.TENURE) if isinstance(c, NumberColumn)]
    if len(tenures) != 1:
        notes.append(
            f"Tenure bands are left out: {len(tenures) or 'no'} number "
            f"column{'s have' if tenures else ' has'} that role."
        )
        return slices, notes
    if not tenures[0].in_months:
        notes.append(
            f"Tenure bands are left out: '{tenures[0].name}' is in {tenures[0].unit}, not months."
        )
        return slices, notes
    band = np.searchsorted(BUCKET_STARTS, _column(columns, tenures[0].name), side="right")
    slices += [Slice(tenures[0].name, name, band == i) for i, name in enumerate(BUCKET_NAMES)]
    return slices, notes


def rankable(target: Labels, settings: SliceSettings) -> bool:
    """Whether there are enough customers for a ROC-AUC."""
    left = int(target.sum())
    fewest = min(left, len(target) - left)
    return len(target) >= settings.minimum_rows and fewest >= settings.minimum_each


def _column(columns: Columns, name: str) -> npt.NDArray[Any]:
    if name not in columns:
        raise InputError(
            f"Column '{name}' is missing; its slices are part of the report. Add it to the columns."
        )
    return np.asarray(columns[name])
