"""Stored raw values as typed ones, with the engineered columns that the one formula makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from churn.contract import DataContract
from churn.contract.values import CategoryReader, NumberReader, RefusedValue, is_blank
from churn.errors import InputError, did_you_mean
from churn.features.feature_set import feature_set
from churn.scoring.encoder import RowEncoder
from churn.scoring.fields import FieldError

Typed = dict[str, Any]
"""Category as the contract spells it, number as float64, None for a blank; absent where not known."""


class TypedFields:
    """Reads fields by a contract, and computes its formulas."""

    def __init__(self, contract: DataContract) -> None:
        self._contract = contract
        self._numbers = {column.name: NumberReader(column) for column in contract.numbers}
        self._coded = {column.name: CategoryReader(column) for column in contract.coded}
        self._encoder = RowEncoder(contract)
        self._formulas = feature_set(contract)

    def require_known(self, names: Iterable[str]) -> list[str]:
        """Returns those of the names that are fields and no formulas.

        Raises:
            InputError: a name is neither.
        """
        formulas = set(self._formulas.names)
        fields = [name for name in names if name not in formulas]
        known = {*self._numbers, *self._coded}
        for name in fields:
            if name not in known:
                near = did_you_mean(name, known | formulas)
                hint = f"did you mean '{near}'?" if near else "leave it out of the feature view."
                raise InputError(
                    f"Feature '{name}' is neither a field of contract '{self._contract.name}' nor a "
                    f"formula; {hint}"
                )
        return fields

    def typed(self, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Typed]:
        """Typed values of the names, for each customer.

        A formula is absent where a field is absent, or blank where the contract allows no blank.

        Raises:
            InputError: a name is unknown.
            FieldError: a value is not what the contract allows.
        """
        fields = self.require_known(names)
        found = [{n: self._typed(n, row[n]) for n in fields if n in row} for row in rows]
        formulas = [name for name in names if name not in fields]
        if formulas:
            for place, values in self._computed(rows).items():
                found[place] |= {name: values[name] for name in formulas}
        return found

    def _typed(self, name: str, value: Any) -> Any:
        try:
            if name in self._numbers:
                return None if is_blank(value) else self._numbers[name].read(value)
            if value is None:
                return None
            codes = self._coded[name]
            return codes.column.categories[codes[value]]
        except RefusedValue as refused:
            raise FieldError.from_refused(refused) from None

    def _computed(self, rows: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, float]]:
        """The engineered columns of the customers that can be scored, by their place."""
        encoded = {}
        for place, row in enumerate(rows):
            try:
                encoded[place] = self._encoder.encode(row)
            except FieldError:
                blank = (is_blank(row.get(name)) for name in self._numbers)
                if not any(blank) and all(row.get(name) is not None for name in self._coded):
                    raise
        columns = self._formulas.compute(self._encoder.as_columns(list(encoded.values())))
        return {
            place: {name: values[number].item() for name, values in columns.items()}
            for number, place in enumerate(encoded)
        }
