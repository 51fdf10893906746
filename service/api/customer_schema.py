"""JSON schema of a customer, made from the data contract, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from churn.contract import CategoryColumn, DataContract, FlagColumn, NumberColumn
from churn.contract.values import LONGEST_ID


def customer_schema(contract: DataContract, example: dict[str, Any]) -> dict[str, Any]:
    """Returns the JSON schema of one customer, with an example that can be scored."""
    return {
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
        return {
            "type": "integer" if column.integer else "number",
            "minimum": column.minimum,
            "maximum": column.maximum,
            "description": meaning,
        }
    return {"type": "string", "enum": list(column.categories), "description": column.meaning}
