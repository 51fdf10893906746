"""Rules about the target: both outcomes occur, and the event's share is a plausible one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churn.contract import DataContract, TargetColumn
from churn.data.quality.rule import Rule, critical, percent, quoted


def share_name(contract: DataContract) -> str:
    """The name of the rule about the event's share, and of its computed column."""
    return f"share of {contract.target.name}"


def event(frame: pd.DataFrame, contract: DataContract) -> NDArray[np.float64]:
    """1 where the event happened, 0 where not, NaN where the target is blank or unknown; [n]."""
    target = contract.target
    codes = pd.Categorical(frame[target.name], categories=list(target.categories)).codes
    return np.where(codes < 0, np.nan, codes).astype(np.float64)


def target_rules(contract: DataContract) -> Iterator[Rule]:
    """Both outcomes occur; the event's share lies within the contract's bounds."""
    yield _both_outcomes(contract.target)
    yield _share_within(contract)


def _both_outcomes(target: TargetColumn) -> Rule:
    return Rule(
        name=f"both outcomes of {target.name}",
        topic="table",
        batch="customers",
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
        name=share_name(contract),
        topic="table",
        batch="relations",
        columns=(target.name,),
        expectations=critical(
            "ExpectColumnMeanToBeBetween",
            limit,
            column=share_name(contract),
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
