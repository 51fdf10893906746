"""How a refused customer is spoken of: the field, its value and what would do, in one sentence."""

from __future__ import annotations

from collections.abc import Collection

from churn.contract import CategoryColumn, FlagColumn, NumberColumn
from churn.errors import InputError, did_you_mean

_LONGEST = 40
_WIDEST = 64  # bits of a whole number that is still spelt out
_KINDS = {dict: "an object", list: "a list", tuple: "a list", type(None): "null"}


class FieldError(InputError):
    """One field of one customer is not what the contract says.

    Attributes:
        field: its name; empty where the customer as a whole is at fault.
        value: what was found, fit to be shown; empty where nothing was.
        allowed: what the contract allows.
    """

    def __init__(self, sentence: str, *, field: str = "", value: str = "", allowed: str = ""):
        super().__init__(sentence)
        self.field = field
        self.value = value
        self.allowed = allowed


def shown(value: object) -> str:
    """A foreign value in print: short, on one line, whatever it is."""
    if isinstance(value, str):
        return repr(value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…")
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > _WIDEST:
        return f"a whole number of {value.bit_length():,} bits"
    if isinstance(value, bool | int | float):
        return str(value)
    # Never the value's own words: they may be endless, nested without end, or fail.
    return _KINDS.get(type(value), f"a {type(value).__name__}")


def allowed_numbers(column: NumberColumn) -> str:
    """What a number column allows."""
    whole = "a whole number" if column.integer else "a number"
    return f"{whole} from {column.minimum:g} to {column.maximum:g} ({column.unit})"


def allowed_categories(column: CategoryColumn | FlagColumn) -> str:
    """What a coded column allows."""
    return ", ".join(column.categories)


def allowed_by(column: CategoryColumn | FlagColumn | NumberColumn) -> str:
    """What a feature column allows."""
    if isinstance(column, NumberColumn):
        return allowed_numbers(column)
    return f"one of {allowed_categories(column)}"


def not_a_category(column: CategoryColumn | FlagColumn, value: object) -> FieldError:
    """The refusal of a value outside a closed list."""
    allowed, found = allowed_categories(column), shown(value)
    return FieldError(
        f"Field '{column.name}': {found} is not one of {allowed}.",
        field=column.name,
        value=found,
        allowed=allowed,
    )


def not_a_number(column: NumberColumn, value: object, why: str) -> FieldError:
    """The refusal of a number; `why` goes on after the value."""
    allowed, found = allowed_numbers(column), shown(value)
    return FieldError(
        f"Field '{column.name}': {found} {why}. Give {allowed}.",
        field=column.name,
        value=found,
        allowed=allowed,
    )


def missing(column: CategoryColumn | FlagColumn | NumberColumn) -> FieldError:
    """The refusal of a customer without a field."""
    allowed = allowed_by(column)
    return FieldError(
        f"Field '{column.name}' is missing. Give {allowed}.", field=column.name, allowed=allowed
    )


def unknown(name: object, known: Collection[str]) -> FieldError:
    """The refusal of a field that the contract does not name."""
    near = did_you_mean(name[:_LONGEST], known) if isinstance(name, str) else None
    hint = f"did you mean '{near}'?" if near else f"the fields are {', '.join(known)}."
    return FieldError(
        f"Field {shown(name)} is not in the contract; {hint}",
        field=name[:_LONGEST] if isinstance(name, str) else shown(name),
        allowed=", ".join(known),
    )
