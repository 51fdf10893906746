"""Errors about one customer's fields: the field, its value and what is allowed, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from churn.contract import CodedColumn, DataContract, NumberColumn
from churn.contract.names import is_index, listed, respelt, respelt_as
from churn.contract.refusals import allowed_values, field_sentence, quote_value
from churn.contract.values import RefusedValue
from churn.errors import InputError, did_you_mean
from churn.scoring.wrappers import wrapper_sentence

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


def missing(columns: Sequence[CodedColumn | NumberColumn]) -> FieldError:
    """The refusal of a customer without these fields."""
    first, names = columns[0], [column.name for column in columns]
    if len(names) > 1:
        return FieldError(
            f"Fields {listed(names, len(names))} are missing. Give all of them.",
            field=first.name,
            allowed=", ".join(names),
        )
    allowed, where = allowed_values(first), ""
    if not isinstance(first, NumberColumn):
        allowed = f"one of {allowed}"
    elif first.blank is not None:
        where = f", which is allowed only where '{first.blank.only_when}' is {first.blank.equals:g}"
    return FieldError(
        f"Field '{first.name}' is missing{where}. Give {allowed}.",
        field=first.name,
        allowed=allowed,
    )


def unknown(names: Sequence[object], contract: DataContract) -> FieldError:
    """The refusal of fields that the contract does not name."""
    features = [column.name for column in contract.features]
    shown = [name[:_LONGEST] if isinstance(name, str) else quote_value(name) for name in names]
    pairs = respelt(shown, [contract.id.name, *features])
    first = shown[0]
    near = pairs.get(first) or (did_you_mean(first, features) if first in names else None)
    wrapper = wrapper_sentence(names)
    if wrapper:
        sentence = wrapper
    elif is_index(first):
        sentence = (
            f"Field {quote_value(first)} looks like an index of the rows, which pandas and R write "
            "along. Leave it out (index=False, row.names=FALSE)."
        )
    elif len(pairs) > 1:
        sentence = f"The contract spells fields otherwise: {respelt_as(pairs)}. Rename them."
    else:
        hint = f"did you mean '{near}'?" if near else f"the fields are {', '.join(features)}."
        these = f"Field {quote_value(names[0])} is"
        if len(names) > 1:
            these = f"Fields {listed(shown)} are"
        sentence = f"{these} not in the contract; {hint}"
    return FieldError(sentence, field=first, allowed=", ".join(features))
