"""A first contract for a table that none describes yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from churn.contract import DataContract, Role
from churn.contract.names import listed
from churn.drafting.column_kinds import allow_blanks, draft_column, is_day_of_row
from churn.drafting.id_and_target import find_id, find_target, numbers_the_rows
from churn.drafting.leakage import leaks
from churn.drafting.role_names import add_roles
from churn.drafting.table_rules import table_rules
from churn.drafting.text_column import TextColumn, name_words, text_columns
from churn.errors import InputError
from churn.evaluation.weighted import Labels

FEWEST_ROWS = 100
MOST_COLUMNS = 500


@dataclass(frozen=True)
class Hints:
    """What a person says about a table beforehand; None leaves it to the draft.

    Attributes:
        id: The column of the customers' ids.
        target: The column that says who left.
        yes: Its value for a customer who left.
    """

    id: str | None = None
    target: str | None = None
    yes: str | None = None


def draft_contract(table: Any, name: str, file: str, hints: Hints) -> dict[str, Any]:
    """Drafts the contract of a raw table.

    Args:
        table: A pyarrow table of texts, as `churn.data.read_raw` returns it.
        name: The contract's name.
        file: What an error calls the table.
        hints: What a person says about the table.

    Returns:
        What the contract's file says: valid, and such that the table can be read by it.

    Raises:
        InputError: the table is too small or too wide, or has no id, no target or no features.
    """
    columns = text_columns(table)
    _require_fit(columns, table.num_rows, file)
    day = next(filter(is_day_of_row, columns), None)
    identity = find_id(columns, hints.id, file, day)
    others = [column for column in columns if column is not identity]
    if hints.target is not None and hints.target.strip() == identity.name:
        raise InputError(
            f"{file}: --target names {identity.name!r}, which is the id. Name another."
        )
    target, no, yes = find_target(others, hints.target, hints.yes, file)
    left: Labels = target.where(lambda text: text == yes).astype(np.int8)
    described, left_out = _describe([each for each in others if each is not target], left)
    described[identity.name] = _id_column(identity)
    described[target.name] = _target_column(target, no, yes)
    if not any(column["kind"] not in {"id", "target", "date"} for column in described.values()):
        raise InputError(
            f"{file} has no column from which a model could learn. "
            + " ".join(f"'{each}': {why}." for each, why in list(left_out.items())[:5])
        )
    content = {
        "name": name,
        "version": 1,
        "title": f"{name_words(name).capitalize()} churn",
        "columns": [described[each.name] for each in columns if each.name in described],
        **({"left_out": left_out} if left_out else {}),
        "expectations": table_rules(columns, described, left),
    }
    DataContract.model_validate(content)
    return content


def _require_fit(columns: Sequence[TextColumn], rows: int, file: str) -> None:
    if rows < FEWEST_ROWS:
        raise InputError(
            f"{file} has {rows:,} row{'s' if rows > 1 else ''}, and a contract is drafted from "
            f"{FEWEST_ROWS} or more: categories and ranges cannot be seen in fewer. Export more customers."
        )
    if len(columns) > MOST_COLUMNS:
        raise InputError(
            f"{file} has {len(columns):,} columns, and a contract is drafted for {MOST_COLUMNS} or "
            "fewer: every request for a score must carry them all. Export the columns that may matter."
        )
    names = [column.name for column in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{file} has columns twice in its header: {listed(twice)}. Keep one each.")
    if "" in names:
        raise InputError(
            f"{file}, column {names.index('') + 1} has no name; it may be the row numbers that pandas "
            "and R write along. Name it in the header, or delete it."
        )


def _describe(
    columns: Sequence[TextColumn], left: Labels
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The columns that a model may see, and those left out with the reason, by name."""
    described: dict[str, dict[str, Any]] = {}
    left_out = leaks(columns, left)
    taken: set[Role] = set()
    for column in columns:
        if column.name in left_out:
            continue
        drafted = draft_column(column)
        if isinstance(drafted, str):
            left_out[column.name] = drafted
        elif drafted["kind"] == "date" and any(d["kind"] == "date" for d in described.values()):
            left_out[column.name] = "another column is the date already"
        else:
            described[column.name] = drafted
    _explain_blanks(columns, described, left_out)
    for column in columns:
        if column.name in described and described[column.name]["kind"] != "date":
            add_roles(described[column.name], column.words, taken)
            _name_unit(described[column.name])
    return described, {each.name: left_out[each.name] for each in columns if each.name in left_out}


def _explain_blanks(
    columns: Sequence[TextColumn],
    described: dict[str, dict[str, Any]],
    left_out: dict[str, str],
) -> None:
    numbers = {
        each.name: each.numbers
        for each in columns
        if each.numbers is not None and described.get(each.name, {}).get("kind") == "number"
    }
    blank = {name: np.isnan(values) for name, values in numbers.items() if np.isnan(values).any()}
    full = {name: values for name, values in numbers.items() if name not in blank}
    for name, where in blank.items():
        rule = allow_blanks(where, full)
        if isinstance(rule, str):
            left_out[name] = rule
            del described[name]
        else:
            described[name]["blank"] = rule


def _name_unit(column: dict[str, Any]) -> None:
    """Says the unit of a number whose role has one; asks where nothing tells."""
    if column["kind"] != "number":
        return
    roles = column.get("roles", ())
    if column["unit"] == "units":
        units = {Role.TENURE: "months", Role.MONTHLY_CHARGE: "currency per month"}
        units[Role.TOTAL_CHARGE] = "currency"
        column["unit"] = next((units[role] for role in units if role in roles), "units")
        first = f"{column['confirm']} " if "confirm" in column else ""
        column["confirm"] = f"{first}is the unit right?"


def _id_column(column: TextColumn) -> dict[str, Any]:
    counted = numbers_the_rows(column)
    question = (
        "the ids number the rows; do they last from one export to the next? Then delete surrogate"
        if counted
        else "does a customer keep this id from one export to the next? If not, add surrogate: true"
    )
    return {
        "name": column.name,
        "kind": "id",
        "meaning": "The customer's identifier",
        **({"surrogate": True} if counted else {}),
        "confirm": question,
    }


def _target_column(column: TextColumn, no: str, yes: str) -> dict[str, Any]:
    return {
        "name": column.name,
        "kind": "target",
        "meaning": "The customer left",
        "no_value": no,
        "yes_value": yes,
        "confirm": f"does {yes!r} mean that the customer left?",
    }
