"""Checks a request of Seldon Core 1 before Seldon unpacks it.

Seldon answers 500 if its own unpacking fails (a ragged table, a tensor whose shape is not its
size). These checks find every such fault and name it in a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from churn.errors import InputError

_EXPECTED = (
    "give data.names with data.ndarray (raw values) or data.tensor (numbers and codes), or jsonData"
)


def require_customers(message: Any) -> None:
    """Requires a table or a JSON document in the JSON of a request, or in a `SeldonMessage`.

    Raises:
        InputError: it has neither, or its table is none.
    """
    if not isinstance(message, Mapping):
        if hasattr(message, "WhichOneof"):
            _require_proto(message)
            return
        raise InputError(f"The request is not an object; {_EXPECTED}.")
    if "data" not in message and "jsonData" in message:
        return
    data = message.get("data")
    if not isinstance(data, Mapping):
        raise InputError(f"The request has no customers; {_EXPECTED}.")
    names = data.get("names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError("The table has no names; list the contract's field names in data.names.")
    if "tensor" in data:
        _require_tensor(data["tensor"], len(names))
    elif "ndarray" in data:
        _require_table(data["ndarray"], len(names))
    else:
        raise InputError(f"The request has no customers; {_EXPECTED}.")


def _require_tensor(tensor: Any, width: int) -> None:
    tensor = tensor if isinstance(tensor, Mapping) else {}
    shape, values = tensor.get("shape"), tensor.get("values")
    numbers = isinstance(values, list) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )
    if not (isinstance(shape, list) and numbers):
        raise _not_a_table()
    _require_shape(shape, len(values), width)


def _require_table(table: Any, width: int) -> None:
    if not isinstance(table, list):
        raise InputError("The ndarray is not a list; give one list of values a customer.")
    for place, row in enumerate(table, start=1):
        if not isinstance(row, list):
            raise InputError(f"Row {place} of ndarray is not a list; give one list a customer.")
        _require_width(place, len(row), width)
        if any(isinstance(value, list | Mapping) for value in row):
            raise _not_plain(place)


def _require_proto(message: Any) -> None:
    kind = message.WhichOneof("data_oneof")
    if kind == "jsonData":
        return
    table = message.data.WhichOneof("data_oneof") if kind == "data" else None
    width = len(message.data.names)
    if table == "tensor":
        tensor = message.data.tensor
        _require_shape(list(tensor.shape), len(tensor.values), width)
    elif table == "ndarray":
        for place, row in enumerate(message.data.ndarray.values, start=1):
            if row.WhichOneof("kind") != "list_value":
                raise InputError(f"Row {place} of ndarray is not a list; give one list a customer.")
            _require_width(place, len(row.list_value.values), width)
            kinds = {value.WhichOneof("kind") for value in row.list_value.values}
            if kinds & {"list_value", "struct_value"}:
                raise _not_plain(place)
    else:
        raise InputError(f"The request has no customers; {_EXPECTED}.")


def _require_shape(shape: list[Any], values: int, width: int) -> None:
    match shape:
        case [int(rows), int(columns)] if rows >= 0 and columns >= 0 and rows * columns == values:
            _require_width(1, columns, width)
        case _:
            raise _not_a_table()


def _not_a_table() -> InputError:
    return InputError(
        "The tensor is not a table of numbers; give shape as [customers, names] and as many "
        "numbers in values."
    )


def _not_plain(place: int) -> InputError:
    return InputError(f"Row {place} of ndarray holds a list or an object; give plain values.")


def _require_width(place: int, values: int, width: int) -> None:
    if values != width:
        raise InputError(
            f"Row {place} has {values:,} values and {width:,} names; give one value a name."
        )
