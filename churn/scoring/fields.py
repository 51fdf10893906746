"""Errors about one customer's fields: the field, its value and what is allowed, in one sentence."""

from __future__ import annotations

from collections.abc import Collection

from churn.contract import CategoryColumn, FlagColumn, NumberColumn
from churn.contract.refusals import allowed_values, field_sentence, quote_value
from churn.contract.values import RefusedValue
from churn.errors import InputError, did_you_mean

_LONGEST = 40


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

    @classmethod
    def from_refused(cls, refused: RefusedValue) -> FieldError:
        """Returns the error about a value that its column does not allow."""
        return cls(
            field_sentence(refused),
            field=refused.column.name,
            value=quote_value(refused.value),
            allowed=allowed_values(refused.column),
        )


def missing(column: CategoryColumn | FlagColumn | NumberColumn) -> FieldError:
    """The refusal of a customer without a field."""
    allowed = allowed_values(column)
    if not isinstance(column, NumberColumn):
        allowed = f"one of {allowed}"
    return FieldError(
        f"Field '{column.name}' is missing. Give {allowed}.", field=column.name, allowed=allowed
    )


def unknown(name: object, known: Collection[str]) -> FieldError:
    """The refusal of a field that the contract does not name."""
    near = did_you_mean(name[:_LONGEST], known) if isinstance(name, str) else None
    hint = f"did you mean '{near}'?" if near else f"the fields are {', '.join(known)}."
    return FieldError(
        f"Field {quote_value(name)} is not in the contract; {hint}",
        field=name[:_LONGEST] if isinstance(name, str) else quote_value(name),
        allowed=", ".join(known),
    )
