"""All that a contract lacks, at once: what is wrong, what nobody confirmed, what missing roles cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import ValidationError

from churn.contract import (
    CodedColumn,
    DataContract,
    NumberColumn,
    Role,
)
from churn.data import quality
from churn.data.intake.header import in_contract_order
from churn.data.intake.typed_columns import ColumnTyper
from churn.drafting.contract_faults import fault_sentences
from churn.drafting.leakage import IN_OTHER_WORDS, leaks
from churn.drafting.text_column import text_columns
from churn.errors import InputError
from churn.evaluation.weighted import Labels
from churn.explain.wording import UNSPOKEN
from churn.exploration.data_findings import constant_columns, target_copies
from churn.features.feature_set import FORMULAS, feature_set

Weight = Literal["wrong", "warning", "confirm", "cost", "optional"]

_COSTS: Mapping[Role, str] = {
    Role.TENURE: "customers are not grouped by how long they have been customers",
    Role.MONTHLY_CHARGE: "no customer's yearly bill stands beside the value at risk",
    Role.TOTAL_CHARGE: "bills are not checked against each other",
    Role.CONTRACT_TERM: "groups by the contract's term are not measured",
    Role.HOUSEHOLD: "groups by household are not measured",
    Role.SENSITIVE: "no group is checked for fairness",
}


@dataclass(frozen=True)
class Finding:
    """One thing about a contract.

    Attributes:
        weight: `wrong` has to be mended, `warning` looked at, `confirm` asks a person, `cost` is what a missing role
            leaves out, `optional` what may be added.
        sentence: What it is, and the way out.
    """

    weight: Weight
    sentence: str


def check_contract(content: Any) -> tuple[DataContract | None, list[Finding]]:
    """The contract, None where it is not valid, and everything there is to say about it.

    Args:
        content: What the file says.
    """
    try:
        contract = DataContract.model_validate(content)
    except ValidationError as error:
        found = [Finding("wrong", sentence) for sentence in fault_sentences(error, content)]
        return None, found + list(_single_columns(content, found))
    return contract, [*_questions(contract), *_costs(contract), *_words(contract)]


def check_table(
    table: Any, contract: DataContract, accepted: pd.DataFrame | None = None
) -> list[Finding]:
    """What is wrong with a raw table, by its contract: every fault of every column, then the gate's.

    Args:
        table: A pyarrow table of texts, as `churn.data.read_raw` returns it.
        contract: The contract.
        accepted: The table that the contract was accepted on; None where there is none.
    """
    try:
        ordered = in_contract_order(table, contract)
    except InputError as error:
        return [Finding("wrong", str(error))]
    if not ordered.num_rows:
        return [Finding("wrong", "The file has a header but no customers. Take one with rows.")]
    said: list[str] = []
    typer = ColumnTyper.of_table(ordered, contract, said.append)
    frame = pd.DataFrame({column.name: typer.column(column) for column in contract.columns})
    blanked = {name for name in contract.names if frame[name].isna().any()}
    found = [Finding("wrong", sentence) for sentence in said]
    for check in quality.check(frame, contract, accepted).checks:
        # A cell that could not be read is blank now, and its fault was said.
        again = check.topic in {"types", "blanks"} and blanked.issuperset(check.columns)
        if not check.success and not again:
            weight: Weight = "wrong" if check.severity == "critical" else "warning"
            found.append(Finding(weight, f"{check.sentence} {check.way_out}"))
    return [*found, *_telling(frame, ordered, contract)]


def _telling(frame: pd.DataFrame, table: Any, contract: DataContract) -> Iterator[Finding]:
    """What columns say about the outcome that they should not, or that they say nothing."""
    way_out = "Move it to left_out, with the reason."
    names = {column.name for column in contract.features}
    left: Labels = (
        (frame[contract.target.name] == contract.target.yes_value).to_numpy().astype(np.int8)
    )
    if left.min() < left.max() and not frame[contract.target.name].isna().any():
        columns = [column for column in text_columns(table) if column.name in names]
        copies = {column.name for column in target_copies(frame, contract)}
        for name, why in (dict.fromkeys(copies, IN_OTHER_WORDS) | leaks(columns, left)).items():
            weight: Weight = "wrong" if name in copies else "warning"
            yield Finding(weight, f"Column '{name}': {why}. {way_out}")
    for column in constant_columns(frame, contract):
        yield Finding(
            "warning", f"Column '{column.name}': it has one value in every row. {way_out}"
        )


def _single_columns(content: Any, found: list[Finding]) -> Iterator[Finding]:
    """That there is no single id or target, which pydantic says only where all else is valid."""
    columns = content.get("columns") if isinstance(content, Mapping) else None
    if not isinstance(columns, list):
        return
    kinds = [each.get("kind") for each in columns if isinstance(each, Mapping)]
    for kind in ("id", "target"):
        sentence = f"exactly one column of kind {kind!r} is needed"
        said = any(sentence in each.sentence for each in found)
        if kinds.count(kind) != 1 and not said:
            yield Finding("wrong", f"{sentence}; there are {kinds.count(kind)}.")


def _questions(contract: DataContract) -> Iterator[Finding]:
    for column in contract.unconfirmed:
        yield Finding("confirm", f"Column '{column.name}': {column.confirm}")


def _costs(contract: DataContract) -> Iterator[Finding]:
    """What each missing role costs, and what a role does that its column cannot serve."""
    out = {name for name in FORMULAS if name not in feature_set(contract).names}
    for role in Role:
        if contract.with_role(role):
            continue
        lost = [name for name in FORMULAS if name in out and role in FORMULAS[name].needs]
        costs = (
            [f"the feature{'s' if len(lost) > 1 else ''} {', '.join(lost)} left out"]
            if lost
            else []
        )
        costs += [_COSTS[role]] if role in _COSTS else []
        if costs:
            yield Finding("cost", f"No column has the role '{role}': {'; '.join(costs)}.")
    for name in (name for name in FORMULAS if name in out):
        if all(contract.with_role(role) for role in FORMULAS[name].needs):
            yield Finding("cost", str(FORMULAS[name].bind(contract)))


def _words(contract: DataContract) -> Iterator[Finding]:
    if contract.snapshot is None:
        yield Finding(
            "optional",
            "No snapshot: new tables are not compared with an accepted one, and data.source must name "
            "a table.",
        )
    spoken = [c for c in contract.features if not UNSPOKEN.intersection(c.roles)]
    silent = [c for c in spoken if not (c.phrase if isinstance(c, NumberColumn) else c.phrases)]
    if silent:
        yield Finding(
            "optional",
            f"{len(silent)} of {len(spoken)} columns have no phrases; their reasons are "
            "worded from name and value. Such as: " + _example(silent[0]),
        )
    actionable = [column for column in contract.features if column.actionable]
    coded = [column for column in actionable if not isinstance(column, NumberColumn)]
    if not actionable:
        yield Finding(
            "optional",
            "No column is `actionable: true`, so no offer is made and no reason comes first.",
        )
    elif coded and not any(column.offers for column in coded):
        first = coded[0]
        yield Finding(
            "optional",
            "No column has offers, so nothing is proposed to anybody. Such as: column "
            f"'{first.name}', offers: {{{first.categories[-1]}: ...}} in words after \"with\"",
        )


def _example(column: CodedColumn | NumberColumn) -> str:
    if isinstance(column, NumberColumn):
        return f"column '{column.name}', phrase: \"{column.meaning} is {{value}}\""
    phrases = ", ".join(f'"{column.meaning}: {text}"' for text in column.categories[:3])
    more = ", ..." if len(column.categories) > 3 else ""  # noqa: PLR2004 - three are enough
    return f"column '{column.name}', phrases: [{phrases}{more}]"
