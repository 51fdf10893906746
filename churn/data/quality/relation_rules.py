"""Rules that join columns, each judged on one column computed from the table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from churn.contract import DataContract
from churn.data.quality.charge_rules import charge_rule, find_charges
from churn.data.quality.implication_rules import find_implications, implication_rule
from churn.data.quality.rule import Rule
from churn.data.quality.target_rules import event, share_name, target_rules


def relation_rules(contract: DataContract) -> Iterator[Rule]:
    """Rules about columns taken together, and about the target.

    Raises:
        InputError: an implication names a column without categories, or an unknown category.
    """
    for implication in find_implications(contract):
        yield implication_rule(contract, implication)
    if (charges := find_charges(contract)) is not None:
        yield charge_rule(contract, charges)
    yield from target_rules(contract)


def related_columns(frame: pd.DataFrame, contract: DataContract) -> pd.DataFrame:
    """The computed columns, each named as its rule; shape [n, at most one a rule].

    Args:
        frame: The table under judgement. What needs a column that it lacks, has twice or leaves
            empty, is left out here and fails when it is checked: nothing passes without rows.
        contract: The contract.
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
        computed[share_name(contract)] = event(frame, contract)
    related = pd.DataFrame(computed, index=pd.RangeIndex(len(frame)))
    return related.loc[:, related.notna().any()]
