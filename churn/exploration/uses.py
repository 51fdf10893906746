"""What can be done with a column: features made from it, and what the business may change."""

from __future__ import annotations

from dataclasses import dataclass

from churn.contract import CodedColumn, DataContract, NumberColumn, Role
from churn.exploration.breakdown import Breakdown
from churn.features.feature_set import feature_set


@dataclass(frozen=True)
class ColumnUse:
    """What a column is good for.

    Attributes:
        features: engineered columns that read it.
        actionable: whether the business can change it.
        offers: what it may propose, in the contract's words.
        sensitive: whether it must not decide how a person is treated.
    """

    column: str
    features: tuple[str, ...]
    actionable: bool
    offers: tuple[str, ...]
    sensitive: bool


def column_uses(contract: DataContract) -> tuple[ColumnUse, ...]:
    """The use of every feature column, in the contract's order."""
    read: dict[str, list[str]] = {column.name: [] for column in contract.features}
    for formula in feature_set(contract).formulas:
        for sources in formula.sources.values():
            for source in sources:
                read[source.column].append(formula.name)
    return tuple(_use(column, read[column.name]) for column in contract.features)


def _use(column: CodedColumn | NumberColumn, features: list[str]) -> ColumnUse:
    return ColumnUse(
        column=column.name,
        features=tuple(dict.fromkeys(features)),
        actionable=column.actionable,
        offers=() if isinstance(column, NumberColumn) else tuple(column.offers.values()),
        sensitive=Role.SENSITIVE in column.roles,
    )


def meaning(found: Breakdown, use: ColumnUse) -> str:
    """What a breakdown means for features and actions, in a few sentences."""
    parts = []
    if found.differs:
        parts.append(f"A feature worth having: it explains {found.explained:.1%} of the outcome.")
    else:
        parts.append("Alone it says nothing clear; it may still count beside others.")
    if use.features:
        parts.append(f"Engineered from it: {', '.join(use.features)}.")
    if use.sensitive:
        parts.append("Sensitive: watched for fairness, never a reason to act.")
    elif use.offers:
        parts.append(f"An offer can be made: {', '.join(use.offers)}.")
    elif use.actionable:
        parts.append("The business can change it.")
    else:
        parts.append("Nobody can change it: it says who, not what to do.")
    return " ".join(parts)
