"""What is wrong in a contract's file, a sentence each, with the column by its name and an example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

_KINDS = ("id", "date", "category", "flag", "number", "target")
_EXAMPLES = {
    "name": "name: mine",
    "version": "version: 1",
    "title": "title: Customers of Mine",
    "columns": "columns: [{name: customer_id, kind: id, meaning: The customer's identifier}, ...]",
    "meaning": "meaning: Months as a customer",
    "categories": "categories: [Monthly, Yearly]",
    "unit": "unit: USD per month",
    "minimum": "minimum: 0",
    "maximum": "maximum: 1000",
    "rows": "rows: {minimum: 500, maximum: 100000000}",
    "target_rate": "target_rate: {minimum: 0.05, maximum: 0.6}",
    "psi_warning": "psi_warning: 0.1",
    "psi_critical": "psi_critical: 0.5",
    "sha256": 'sha256: "..." as `sha256sum FILE` prints it',
    "path": "path: data/raw/mine.csv",
}
_FIELDS = {
    "expectations": "rows, target_rate, psi_warning and psi_critical",
    "columns": "name, kind and meaning",
}
_NO_FIELDS = {"dict_type", "model_type", "model_attributes_type"}


def fault_sentences(error: ValidationError, content: Any) -> Iterator[str]:
    """Each fault that pydantic found in what a contract's file says."""
    faults = error.errors(include_url=False)
    inside = any(len(each["loc"]) > 1 and each["loc"][0] == "columns" for each in faults)
    for each in faults:
        if each["type"] == "too_short" and each["loc"] == ("columns",) and inside:
            continue  # the columns that are at fault were not counted
        where = _place(each["loc"], content)
        yield f"{where[:1].upper()}{where[1:]}{_reason(each, where)}."


def _place(location: tuple[int | str, ...], content: Any) -> str:
    """Where a fault is, in words; empty for the whole file."""
    place = [part for part in location if part not in _KINDS]
    words = []
    if len(place) > 1 and place[0] == "columns" and isinstance(place[1], int):
        column = content["columns"][place[1]]
        name = column.get("name") if isinstance(column, Mapping) else None
        words.append(f"column {name!r}" if name else f"column {place[1] + 1}")
        place = place[2:]
    return ", ".join([*words, *map(str, place)])


def _reason(fault: Any, where: str) -> str:
    """What is wrong there, as the end of a sentence."""
    field = str(fault["loc"][-1]) if fault["loc"] else ""
    if fault["type"] == "missing":
        example = _EXAMPLES.get(field)
        needs = f"; write `{example}`" if example else f"; it needs {_FIELDS.get(field, 'a value')}"
        return f" is missing{needs}"
    if fault["type"].startswith("union_tag"):
        return f": kind must be one of {', '.join(_KINDS)}"
    if fault["type"] == "extra_forbidden":
        return " is no field of a contract; docs/data.md lists them"
    if fault["type"] in _NO_FIELDS:
        top = str(fault["loc"][0]) if fault["loc"] else ""
        needed = _FIELDS.get(top, "name, version, title, columns and expectations")
        return f"{' has' if where else 'The file has'} no fields; write {needed}"
    reason = str(fault["msg"]).removeprefix("Value error, ")
    return f": {reason}" if where else reason
