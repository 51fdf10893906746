"""The sentences about a refused value: in a cell of a file, and in a field of a request."""

from __future__ import annotations

from churn.contract.columns import CategoryColumn, FlagColumn, NumberColumn, TargetColumn
from churn.contract.values import Fault, RefusedValue, is_blank

_LONGEST = 40
_WIDEST = 64  # bits of a whole number that is still spelt out
_KINDS = {dict: "an object", list: "a list", tuple: "a list", type(None): "null"}

_IN_FIELD = {
    Fault.BLANK: "is blank",
    Fault.BLANK_HERE: "is blank, which is allowed only where '{only_when}' is {equals:g}",
    Fault.NOT_A_NUMBER: "is not a number",
    Fault.ENDLESS_TEXT: "is not a number",
    Fault.NOT_FINITE: "is not a finite number",
    Fault.TOO_LARGE: "is not a finite number",
    Fault.OUTSIDE: "is outside {minimum:g} to {maximum:g}",
    Fault.NOT_WHOLE: "is not a whole number of {unit}",
}
_IN_CELL = {
    Fault.BLANK: "{value} is blank. Fill in the {unit}, or leave the row out.",
    Fault.BLANK_HERE: "{value} is blank, which is allowed only where '{only_when}' is "
    "{equals:g}. Fill in the {unit}, or leave the row out.",
    Fault.NOT_A_NUMBER: "{value} is not a number. Write it in digits, with a point for decimals.",
    Fault.ENDLESS_TEXT: "{value} is not a finite number. Write it in digits, with a point for "
    "decimals.",
    Fault.TOO_LARGE: "{value} is too large for a finite number. Fix the file.",
    Fault.NOT_WHOLE: "{value} is not a whole number of {unit}. Round it in the file.",
}


def quote_value(value: object) -> str:
    """A foreign value in print: short, on one line, whatever it is."""
    if isinstance(value, str):
        return repr(value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…")
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > _WIDEST:
        return f"a whole number of {value.bit_length():,} bits"
    if isinstance(value, bool | int | float):
        return str(value)
    # Never the value's own words: they may be endless, nested without end, or fail.
    return _KINDS.get(type(value), f"a {type(value).__name__}")


def quote_text(text: str) -> str:
    """A text of a file in print: its first line, cut if it is long.

    A value of several lines has swallowed other rows; nobody should read those.
    """
    line = text.partition("\n")[0][:_LONGEST]
    return repr(line if line == text else f"{line}…")


def allowed_values(column: CategoryColumn | FlagColumn | TargetColumn | NumberColumn) -> str:
    """What a column allows, as a list or a range."""
    if not isinstance(column, NumberColumn):
        return ", ".join(column.categories)
    whole = "a whole number" if column.integer else "a number"
    return f"{whole} from {column.minimum:g} to {column.maximum:g} ({column.unit})"


def field_sentence(refused: RefusedValue) -> str:
    """Why a field of a request is refused, and what is allowed."""
    column, found = refused.column, quote_value(refused.value)
    allowed = allowed_values(column)
    if isinstance(column, NumberColumn):
        why = _IN_FIELD[refused.fault].format(**_facts(column))
        return f"Field '{column.name}': {found} {why}. Give {allowed}."
    said = f"Field '{column.name}': {found} is not one of {allowed}."
    if isinstance(column, FlagColumn):
        said += f" Give {column.no_value} or false for no, {column.yes_value} or true for yes."
    return said


def cell_sentence(refused: RefusedValue, found: str, contract_file: str) -> str:
    """Why a cell of a file is refused, and what to do: what follows its place and a colon.

    `found` is the value, a text, as it may be shown.
    """
    column = refused.column
    found = found if str(refused.value).strip() else "the cell"
    if isinstance(column, NumberColumn):
        return _IN_CELL[refused.fault].format(value=found, **_facts(column))
    among = allowed_values(column)
    if is_blank(refused.value):
        return f"{found} is blank, but must be one of {among}. Fill it in, or leave the row out."
    if isinstance(column, CategoryColumn):
        return (
            f"{found} is not one of {among}. Fix the file or add the category to {contract_file}."
        )
    return (
        f"{found} is not one of {among}. Write these in the file, or set no_value and yes_value "
        f"of '{column.name}' in {contract_file} to the file's own two texts, in quotes."
    )


def _facts(column: NumberColumn) -> dict[str, object]:
    rule = column.blank
    return {
        "minimum": column.minimum,
        "maximum": column.maximum,
        "unit": column.unit,
        "only_when": rule.only_when if rule else "",
        "equals": rule.equals if rule else 0.0,
    }
