"""Rules that join columns, each judged on one column computed from the table; and the target's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from churn.contract import DataContract, TargetColumn
from churn.data.quality.charge_rules import charge_rule, find_charges
from churn.data.quality.implication_rules import find_implications, implication_rule
from churn.data.quality.rule import Rule, critical, percent, quoted


def relation_rules(contract: DataContract) -> Iterator[Rule]:
    """Rules about columns taken together, and about the target.

    Raises:
        InputError: an implication names a column without categories, or an unknown category.
    """
    for implication in find_implications(contract):
        yield implication_rule(contract, implication)
    if (charges := find_charges(contract)) is not None:
        yield charge_rule(contract, charges)
    yield _both_outcomes(contract.target)
    yield _share_within(contract)


def related_columns(frame: pd.DataFrame, contract: DataContract) -> pd.DataFrame:
    """The computed columns, each named as its rule; shape [n, at most one a rule].

    What needs a column that the table lacks, has twice or leaves empty, is left out here and fails
    when it is checked: nothing passes without rows.
    """
    present = {name for name in frame.columns if (frame.columns == name).sum() == 1}
    computed: dict[str, Any] = {}
    for implication in find_implications(contract):
        if present.issuperset(implication.columns):
            computed[implication.name] = implication.pairs(frame)
    charges = find_charges(contract)
    if charges is not None and present.issuperset(charges.columns):
        computed[charges.name] = charges.excess(frame)
    if contract.target.name in present:
        target = contract.target
        codes = pd.Categorical(frame[target.name], categories=list(target.categories)).codes
        computed[_share_name(target)] = np.where(codes < 0, np.nan, codes).astype(np.float64)
    related = pd.DataFrame(computed, index=pd.RangeIndex(len(frame)))
    return related.loc[:, related.notna().any()]


def _both_outcomes(target: TargetColumn) -> Rule:
    return Rule(
        name=f"both outcomes of {target.name}",
        topic="table",
        columns=(target.name,),
        expectations=critical(
            "ExpectColumnDistinctValuesToContainSet",
            f"{target.no_value} and {target.yes_value}",
            column=target.name,
            value_set=list(target.categories),
        ),
        success=lambda _: f"Both outcomes of {target.name} occur.",
        failure=lambda result: (
            f"no row has {' or '.join(map(quoted, result.examples))}, so there is nothing to learn"
        ),
        observed=lambda result: "both" if result.success else "not both",
        way_out="Take a table with customers of both kinds.",
    )


def _share_within(contract: DataContract) -> Rule:
    target, bounds = contract.target, contract.expectations.target_rate
    limit = f"{percent(bounds.minimum)} to {percent(bounds.maximum)}"
    return Rule(
        name=_share_name(target),
        topic="table",
        batch="relations",
        columns=(target.name,),
        expectations=critical(
            "ExpectColumnMeanToBeBetween",
            limit,
            column=_share_name(target),
            min_value=bounds.minimum,
            max_value=bounds.maximum,
        ),
        success=lambda result: (
            f"{target.name} is {target.yes_value} in {result.observed:.1%} of rows."
        ),
        failure=lambda result: (
            f"{target.yes_value!r} in {result.observed:.2%} of rows, outside {limit}"
        ),
        observed=lambda result: f"{result.observed:.1%}",
        way_out=(
            "Check how the customers were chosen, or change expectations.target_rate in contract "
            f"'{contract.name}'."
        ),
    )


def _share_name(target: TargetColumn) -> str:
    """The name of the rule about the event's share, and of its computed column."""
    return f"share of {target.name}"
