"""Rules about distributions: each feature against the accepted table, by its PSI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from churn.contract import CodedColumn, DataContract, NumberColumn
from churn.data.quality.psi import Shift, shift
from churn.data.quality.rule import ExpectationSpec, Rule
from churn.data.quality.verdict import OnShift, Severity


def shifts(frame: pd.DataFrame, accepted: pd.DataFrame, contract: DataContract) -> dict[str, Shift]:
    """Every feature's shift from the accepted table.

    Left out: a feature that either table lacks, has twice, leaves blank or fills with what cannot
    be read as its kind. The checks of the header, types and blanks have named it by then, and its
    own check fails, as it has no figure.
    """
    found: dict[str, Shift] = {}
    for column in contract.features:
        if any(list(table.columns).count(column.name) != 1 for table in (frame, accepted)):
            continue
        try:
            found[column.name] = shift(column, accepted[column.name], frame[column.name])
        except (TypeError, ValueError):
            continue
    return found


def shift_table(found: Mapping[str, Shift]) -> pd.DataFrame:
    """One row with each feature's PSI: what Great Expectations judges."""
    return pd.DataFrame({name: [each.psi] for name, each in found.items()}, dtype="float64")


def distribution_rules(
    contract: DataContract, found: Mapping[str, Shift], *, on_shift: OnShift
) -> Iterator[Rule]:
    """One rule a feature: a warning above `psi_warning`, above `psi_critical` as `on_shift` says."""
    for column in contract.features:
        yield _stable(contract, column, found.get(column.name), on_shift)


def _stable(
    contract: DataContract,
    column: CodedColumn | NumberColumn,
    found: Shift | None,
    on_shift: OnShift,
) -> Rule:
    critical, warning = contract.expectations.psi_critical, contract.expectations.psi_warning
    limits: tuple[tuple[Severity, float], ...] = (("critical", critical), ("warning", warning))
    # A feature that could not be compared at all is no shift, and stays critical.
    if on_shift == "report" and found is not None:
        limits = limits[1:]
    moved = "" if found is None else f"{found.mover} went from {found.was:.1%} to {found.now:.1%}"
    return Rule(
        name=f"distribution of {column.name}",
        topic="distribution",
        batch="shifts",
        columns=(column.name,),
        expectations=tuple(
            ExpectationSpec(
                "ExpectColumnMaxToBeBetween",
                {"column": column.name, "max_value": limit},
                severity,
                f"PSI up to {limit:g}",
            )
            for severity, limit in limits
        ),
        success=lambda result: (
            f"{column.name} is distributed as in the accepted table (PSI {result.observed:.3f})."
        ),
        failure=lambda result: (
            f"the distribution has shifted from the accepted table, PSI {result.observed:.3f}; "
            f"most of all, {moved} of rows"
        ),
        observed=lambda result: f"PSI {result.observed:.3f}",
        way_out=(
            "Find out what changed at the source; if the new population is right, accept this "
            f"table as the snapshot of contract '{contract.name}'."
        ),
    )
