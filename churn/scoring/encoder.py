"""From one customer's raw values to the numbers a model sees, made once from the contract.

What a field may be is decided by `churn.contract.values`; the codes and numbers are those that
`churn.features.encoding.encode` gives for the parsed table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from churn.contract import DataContract, NumberColumn
from churn.contract.refusals import quote_value
from churn.contract.values import CategoryReader, Fault, NumberReader, RefusedValue
from churn.features.encoding import Columns
from churn.scoring.fields import FieldError, missing, unknown

Row = Mapping[str, Any]
"""A customer in the contract's own raw values, e.g. {"gender": "Female", "tenure": 12, ...}."""
Values = list[float]
"""A customer as a model sees it: codes of the coded columns, then the numbers."""


class RowEncoder:
    """Encodes customers one by one; holds no state of any of them, so threads can share it.

    Attributes:
        contract: what the fields mean.
        names: the feature columns in the order of the values: coded ones, then numbers.
    """

    def __init__(self, contract: DataContract) -> None:
        self.contract = contract
        self.names = tuple(c.name for c in (*contract.coded, *contract.numbers))
        self._coded = tuple((column.name, CategoryReader(column)) for column in contract.coded)
        readers = [NumberReader(column) for column in contract.numbers]
        self._numbers = tuple(
            (each.column.name, each.minimum, each.maximum, each.column.integer, each.read,
             each.column.blank.only_when if each.column.blank else "")
            for each in readers
        )  # fmt: skip
        self._id = contract.id.name
        self._known = frozenset((self._id, *self.names))

    def encode(self, row: Row) -> Values:
        """One customer's values, codes first.

        Args:
            row: Every feature of the contract by name; one that is left out is a blank where the
                contract allows it. The customer's id may stand beside them and is not read.

        Raises:
            FieldError: a field is unknown or missing, or its value is not allowed.
        """
        if type(row) is not dict:
            row = _plain(row)
        try:
            values: Values = [codes[row[name]] for name, codes in self._coded]
            # What `NumberReader.read` says of the common case, without calling it.
            for name, minimum, maximum, whole, read, beside in self._numbers:
                value = row[name]
                kind = type(value)
                if (
                    (kind is float or kind is int)
                    and minimum <= value <= maximum  # NaN is not
                    and (not whole or kind is int or value.is_integer())
                ):
                    values.append(value + 0.0)  # -0.0 becomes 0.0
                else:
                    values.append(read(value, row.get(beside)))
        except RefusedValue as refused:
            raise FieldError.from_refused(refused) from None
        except KeyError:
            return self._encode_incomplete(row)
        except TypeError:
            raise self._unhashable(row) from None
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

    def require_fields(self, names: Collection[str]) -> list[NumberColumn]:
        """Checks the names of a customer's fields, or a table's columns; the id may be among them.

        Unknown fields are named first: they may be the missing ones under other names.

        Returns:
            The columns that are left out and may be: those that may be blank.

        Raises:
            FieldError: fields are unknown or missing.
        """
        if not self._known.issuperset(names):
            raise self._unknown(names)
        absent = [column for column in self.contract.features if column.name not in names]
        optional = [each for each in absent if isinstance(each, NumberColumn) and each.blank]
        if len(optional) < len(absent):
            raise missing([column for column in absent if column not in optional])
        return optional

    def _encode_incomplete(self, row: dict[str, Any]) -> Values:
        """The values of a customer without some fields, as far as the contract allows blanks."""
        absent = self.require_fields(row)
        try:
            return self.encode(row | {column.name: None for column in absent})
        except FieldError as error:
            blank = [column for column in absent if column.name == error.field]
            raise missing(blank) if blank else error from None

    def _unhashable(self, row: Row) -> FieldError:
        """Error for a value that cannot be a dictionary's key."""
        for name, codes in self._coded:
            try:
                codes[row[name]]
            except TypeError:
                refused = RefusedValue(codes.column, row[name], Fault.NOT_A_CATEGORY)
                return FieldError.from_refused(refused)
        raise AssertionError("a customer was refused without a reason")  # pragma: no cover

    def _unknown(self, names: Iterable[object]) -> FieldError:
        """Error for fields that the contract lacks, for the target, or for the date."""
        target, date = self.contract.target.name, self.contract.date
        strangers = [name for name in names if name not in self._known]
        if date is not None and date.name in strangers:
            return FieldError(
                f"Field '{date.name}' is the day of the row, and a score does not depend on it. "
                "Leave it out, or let the request say ignore=target.", field=date.name,
            )  # fmt: skip
        others = [name for name in strangers if name != target]
        if not others:
            return FieldError(
                f"Field '{target}' is what is to be predicted. Leave it out, or let the request "
                "say ignore=target.", field=target,
            )  # fmt: skip
        return unknown(others, self.contract)


def _plain(row: object) -> dict[str, Any]:
    """Any mapping as a dict, so that asking it for a field never changes it."""
    if not isinstance(row, Mapping):
        raise FieldError(f"A customer is an object of fields and values, not {quote_value(row)}.")
    return dict(row)
