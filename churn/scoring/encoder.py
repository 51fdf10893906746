"""From one customer's raw values to the numbers a model sees, made once from the contract.

Reads what JSON or a CSV row gives (texts and numbers), as strictly as the contract says, and gives
the codes and numbers that `churn.features.encoding.encode` gives for the parsed table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import inf, isfinite
from numbers import Integral, Real
from typing import Any

import numpy as np

from churn.contract import CategoryColumn, DataContract, FlagColumn, NumberColumn
from churn.features.encoding import Columns
from churn.scoring.fields import FieldError, missing, not_a_category, not_a_number, shown, unknown

Row = Mapping[str, Any]
"""A customer in the contract's own raw values, e.g. {"gender": "Female", "tenure": 12, ...}."""
Values = list[float]
"""A customer as a model sees it: codes of the coded columns, then the numbers."""

# As the parser has it: digits of ASCII, a point for decimals, an exponent if need be.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class _Codes(dict[str, int]):
    """Category -> code; what is not spelt exactly so comes to `__missing__`."""

    def __init__(self, column: CategoryColumn | FlagColumn) -> None:
        # As the parser has it: spaces around a value do not count.
        super().__init__({text.strip(): code for code, text in enumerate(column.categories)})
        self.column = column

    def __missing__(self, value: object) -> int:
        """The code of a value with spaces around it, or of a whole number whose digits are listed.

        Raises:
            FieldError: there is none.
        """
        text = None
        if isinstance(value, str):
            text = value.strip()
        elif not isinstance(value, bool) and isinstance(value, Integral):
            text = _digits(int(value))
        code = self.get(text) if text is not None else None
        if code is None:
            raise not_a_category(self.column, value)
        return code


class _Number:
    """Reads one number column; the encoder takes the common case itself."""

    def __init__(self, column: NumberColumn) -> None:
        self.column = column

    def read(self, value: object, row: Row) -> float:
        """The number.

        Raises:
            FieldError: it is none, out of range, or blank where it must not be.
        """
        column = self.column
        if value is None or (isinstance(value, str) and not value.strip()):
            return self._blank(value, row)
        number = _number(value)
        if number is None:
            raise not_a_number(column, value, "is not a number")
        if not isfinite(number):
            raise not_a_number(column, value, "is not a finite number")
        if not column.minimum <= number <= column.maximum:
            raise not_a_number(column, value, f"is outside {_range(column)}")
        if column.integer and not number.is_integer():
            raise not_a_number(column, value, f"is not a whole number of {column.unit}")
        return number

    def _blank(self, value: object, row: Row) -> float:
        rule = self.column.blank
        if rule is None:
            raise not_a_number(self.column, value, "is blank")
        if _number(row.get(rule.only_when)) != rule.equals:
            why = f"is blank, which is allowed only where '{rule.only_when}' is {rule.equals:g}"
            raise not_a_number(self.column, value, why)
        return rule.value + 0.0


class RowEncoder:
    """Encodes customers one by one; holds no state of any of them, so threads can share it.

    Attributes:
        contract: what the fields mean.
        names: the feature columns in the order of the values: coded ones, then numbers.
    """

    def __init__(self, contract: DataContract) -> None:
        self.contract = contract
        self.names = tuple(c.name for c in (*contract.coded, *contract.numbers))
        self._coded = tuple((column.name, _Codes(column)) for column in contract.coded)
        self._numbers = tuple(
            (c.name, c.minimum, c.maximum, c.integer, _Number(c)) for c in contract.numbers
        )
        self._id = contract.id.name
        self._known = frozenset((self._id, *self.names))

    def encode(self, row: Row) -> Values:
        """One customer's values, codes first.

        Args:
            row: Every feature of the contract by name; the customer's id may stand beside them
                and is not looked at.

        Raises:
            FieldError: a field is unknown or missing, or its value is not allowed.
        """
        if type(row) is not dict:
            row = _plain(row)
        try:
            values: Values = [codes[row[name]] for name, codes in self._coded]
            for name, minimum, maximum, whole, number in self._numbers:
                value = row[name]
                kind = type(value)
                if (
                    (kind is float or kind is int)
                    and minimum <= value <= maximum  # NaN is not
                    and (not whole or kind is int or value.is_integer())
                ):
                    values.append(value + 0.0)  # -0.0 becomes 0.0, as in the parser
                else:
                    values.append(number.read(value, row))
        except (KeyError, TypeError):
            raise self._fault(row) from None
        if len(row) != len(values) and not (self._id in row and len(row) == len(values) + 1):
            raise self._unknown(row)
        return values

    def columns(self, rows: Iterable[Row]) -> Columns:
        """Many customers' feature columns, float64[n] for a number and int8[n] for a code.

        Raises:
            FieldError: a customer is refused; the sentence begins with its row, counted from 1.
        """
        encoded: list[Values] = []
        for place, row in enumerate(rows, start=1):
            try:
                encoded.append(self.encode(row))
            except FieldError as error:
                raise FieldError(
                    f"Row {place}: {error}",
                    field=error.field,
                    value=error.value,
                    allowed=error.allowed,
                ) from None
        return self.as_columns(encoded)

    def as_columns(self, encoded: list[Values]) -> Columns:
        """Encoded customers as feature columns, in the contract's order."""
        places = {name: place for place, name in enumerate(self.names)}
        return {
            column.name: np.array(
                [values[places[column.name]] for values in encoded],
                dtype=np.float64 if isinstance(column, NumberColumn) else np.int8,
            )
            for column in self.contract.features
        }

    def _fault(self, row: Row) -> FieldError:
        """What the fast path stumbled over: a field that is missing, or a value no dict can hold."""
        for column in self.contract.features:
            if column.name not in row:
                return missing(column)
        for name, codes in self._coded:
            try:
                codes[row[name]]
            except TypeError:
                return not_a_category(codes.column, row[name])
        raise AssertionError("a customer was refused without a reason")  # pragma: no cover

    def _unknown(self, row: Row) -> FieldError:
        """Which field is none of the contract's, or gives away the answer."""
        stranger = next(name for name in row if name not in self._known)
        if stranger == self.contract.target.name:
            return FieldError(
                f"Field '{stranger}' is what is to be predicted. Leave it out.", field=stranger
            )
        return unknown(stranger, [column.name for column in self.contract.features])


def _plain(row: object) -> dict[str, Any]:
    """Any mapping as a dict, so that asking it for a field never changes it."""
    if not isinstance(row, Mapping):
        raise FieldError(f"A customer is an object of fields and values, not {shown(row)}.")
    return dict(row)


def _number(value: object) -> float | None:
    """A number or the text of one; None for anything else."""
    if isinstance(value, str):
        text = value.strip()
        return float(text) + 0.0 if _NUMBER.fullmatch(text) else None
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        return float(value) + 0.0
    except OverflowError:  # a whole number beyond every float
        return inf


def _digits(value: int) -> str | None:
    """A whole number's digits; None for one so long that no category spells it."""
    return str(value) if value.bit_length() <= 64 else None  # noqa: PLR2004


def _range(column: NumberColumn) -> str:
    return f"{column.minimum:g} to {column.maximum:g}"
