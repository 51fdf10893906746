"""JSON schema of a customer, made from the data contract, for the OpenAPI document."""

from __future__ import annotations

from functools import partial
from typing import Any

from churn.contract import CategoryColumn, DataContract, FlagColumn, NumberColumn
from churn.contract.values import LONGEST_ID, CategoryReader, RefusedValue

_OTHER_SPELLINGS = (True, False, 0, 1)
"""Values of JSON that may stand for a category, beside its text."""


def customer_schema(contract: DataContract, example: dict[str, Any]) -> dict[str, Any]:
    """Returns the JSON schema of one customer, with an example that can be scored."""
    schema = {
        "type": "object",
        "title": "Customer",
        "description": f"{contract.title}, in the contract's own raw values.",
        "properties": {contract.id.name: id_schema(contract)}
        | {column.name: _field_schema(column) for column in contract.features},
        "required": [
            column.name
            for column in contract.features
            if not (isinstance(column, NumberColumn) and column.blank)
        ],
        "additionalProperties": False,
        "example": example,
    }
    rules = [_blank_rule(column) for column in contract.numbers if column.blank]
    return schema | ({"allOf": rules} if rules else {})


def _blank_rule(column: NumberColumn) -> dict[str, Any]:
    """Returns where a number may be blank or left out."""
    assert column.blank is not None  # noqa: S101 - only such columns are given
    given = {"required": [column.name], "properties": {column.name: {"type": "number"}}}
    beside = {"properties": {column.blank.only_when: {"const": column.blank.equals}}}
    return {"anyOf": [given, beside]}


def id_schema(contract: DataContract) -> dict[str, Any]:
    """Returns the JSON schema of a customer's id."""
    return {
        "type": ["string", "integer", "null"],
        "maxLength": LONGEST_ID,
        "pattern": r"\S",
        "description": contract.id.meaning,
    }


def _field_schema(column: CategoryColumn | FlagColumn | NumberColumn) -> dict[str, Any]:
    if isinstance(column, NumberColumn):
        meaning = f"{column.meaning} ({column.unit})"
        if column.blank is not None:
            rule = column.blank
            meaning += f"; may be blank or left out where {rule.only_when} is {rule.equals:g}"
        number = {
            "type": "integer" if column.integer else "number",
            "minimum": column.minimum,
            "maximum": column.maximum,
        }
        if column.blank is None:
            return number | {"description": meaning}
        blank = {"type": ["string", "null"], "pattern": r"^\s*$"}
        return {"anyOf": [number, blank], "description": meaning}
    values = [*column.categories, *filter(partial(_is_category, column), _OTHER_SPELLINGS)]
    return {"enum": values, "description": column.meaning}


def _is_category(column: CategoryColumn | FlagColumn, value: object) -> bool:
    try:
        CategoryReader(column)[value]  # type: ignore[index]
    except RefusedValue:
        return False
    return True
