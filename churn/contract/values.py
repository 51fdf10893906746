"""What a column's value may be: the one decision for files, requests, streams and tensors.

A raw value is what a CSV or parquet file, JSON or a tensor gives: a text, a number, a boolean or
nothing. Each kind of column has one reader, which returns the value's code or number or raises
`RefusedValue`. A table is read once for each different text, a request once for each field.
`churn.contract.refusals` has the sentences.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import Enum, auto
from math import inf, isfinite, nan
from numbers import Integral, Real

from churn.contract.columns import CategoryColumn, FlagColumn, NumberColumn, TargetColumn

LONGEST_ID = 200
"""Characters of a customer's id; the ledger keeps no more."""
PLAIN_ID = rf"^[!-~]{{1,{LONGEST_ID}}}$"
"""Matches most ids, and nothing that `is_customer_id` refuses: a quick look at a whole column."""
LARGEST_WHOLE = 2.0**53
"""Beyond it float64 skips whole numbers, so that different ones would be the same."""

# Digits of ASCII, a point for decimals, an exponent if need be.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_ENDLESS = re.compile(r"[+-]?(inf|infinity|1\.#(inf|qnan))|[+-]nan", re.ASCII | re.IGNORECASE)
# A whole number as programs write it that keep decimals; Java writes 0E-18 for its zero.
_WHOLE = re.compile(r"(-?(?:0|[1-9]\d{0,17}))\.0+|-?0(?:\.0*)?[eE][+-]?\d+", re.ASCII)
_BLANK_WORDS = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "\\n"})
_BOOLEANS = {"false": 0, "true": 1}
_BEYOND_IDS = 10**LONGEST_ID
_WIDEST = 64  # bits of a whole number that a category may be spelt with


class Fault(Enum):
    """What is wrong with a value."""

    NOT_A_CATEGORY = auto()
    BLANK = auto()
    BLANK_HERE = auto()  # the contract allows a blank beside another value
    NOT_A_NUMBER = auto()
    ENDLESS_TEXT = auto()  # 'inf', '-nan'
    NOT_FINITE = auto()
    TOO_LARGE = auto()  # digits beyond every float
    OUTSIDE = auto()
    NOT_WHOLE = auto()


class RefusedValue(ValueError):  # noqa: N818 - the value is refused; the error is built from it
    """A raw value that its column does not allow.

    Attributes:
        column: The column.
        value: The raw value.
        fault: What is wrong with it.
    """

    def __init__(
        self,
        column: CategoryColumn | FlagColumn | TargetColumn | NumberColumn,
        value: object,
        fault: Fault,
    ) -> None:
        super().__init__(fault.name)
        self.column = column
        self.value = value
        self.fault = fault


class CategoryReader(dict[str, int]):
    """Code of each category of a category, flag or target column, by its text.

    Spaces around a text do not count. A whole number is a category if its digits are listed, also
    as a float or a decimal. True and false are a flag's or target's yes and no. Reading is
    `reader[value]`: a dictionary's own speed for what is spelt exactly.
    """

    def __init__(self, column: CategoryColumn | FlagColumn | TargetColumn) -> None:
        super().__init__({text.strip(): code for code, text in enumerate(column.categories)})
        self.column = column
        own = {text.casefold(): code for text, code in self.items() if text.casefold() in _BOOLEANS}
        self._booleans = own if own or isinstance(column, CategoryColumn) else _BOOLEANS

    def __missing__(self, value: object) -> int:
        """The code of a value that is not spelt exactly like a category.

        Raises:
            RefusedValue: It is none.
        """
        text = str(value) if isinstance(value, bool) else value
        code = None
        if isinstance(text, str):
            text = text.strip()
            code = self.get(text, self._booleans.get(text.casefold()))
        if code is None:
            code = self.get(_whole_digits(text))
        if code is None:
            raise RefusedValue(self.column, value, Fault.NOT_A_CATEGORY)
        return code


class NumberReader:
    """Reads a number column.

    Attributes:
        column: The column.
        minimum: The least number that `read` returns.
        maximum: The greatest.
    """

    def __init__(self, column: NumberColumn) -> None:
        self.column = column
        self.minimum, self.maximum = column.minimum, column.maximum
        if column.integer:
            self.minimum = max(self.minimum, -LARGEST_WHOLE)
            self.maximum = min(self.maximum, LARGEST_WHOLE)

    def read(self, value: object, beside: object = None) -> float:
        """Returns the number of a raw value, within the column's range.

        Args:
            value: The raw value.
            beside: The same customer's raw value in the column that the blank rule names.

        Raises:
            RefusedValue: It is no such number, or blank where it must not be.
        """
        number = _as_number(value)
        if number is not None and self.minimum <= number <= self.maximum:
            if not self.column.integer or number.is_integer():
                return number
        elif is_blank(value):
            return self.read_blank(value, beside)
        return self._number(value, in_range=True)

    def read_type(self, value: object) -> float:
        """Returns the number of a raw value, whatever the column's range.

        Raises:
            RefusedValue: It is blank, not a finite number, or not whole in a column of whole
                numbers.
        """
        return self._number(value, in_range=False)

    def read_blank(self, value: object, beside: object) -> float:
        """Returns the number that a blank means beside another column's value.

        Raises:
            RefusedValue: The contract does not allow a blank there.
        """
        rule = self.column.blank
        if rule is None:
            raise RefusedValue(self.column, value, Fault.BLANK)
        if _as_number(beside) != rule.equals:
            raise RefusedValue(self.column, value, Fault.BLANK_HERE)
        return rule.value + 0.0

    def _number(self, value: object, *, in_range: bool) -> float:
        column = self.column
        number = _as_number(value)
        if number is None:
            fault = Fault.BLANK if is_blank(value) else Fault.NOT_A_NUMBER
            if isinstance(value, str) and _ENDLESS.fullmatch(value.strip()):
                fault = Fault.ENDLESS_TEXT
            raise RefusedValue(column, value, fault)
        if not isfinite(number):
            digits = isinstance(value, str | Integral)
            raise RefusedValue(column, value, Fault.TOO_LARGE if digits else Fault.NOT_FINITE)
        if in_range and not column.minimum <= number <= column.maximum:
            raise RefusedValue(column, value, Fault.OUTSIDE)
        if column.integer and not (number.is_integer() and abs(number) <= LARGEST_WHOLE):
            raise RefusedValue(column, value, Fault.NOT_WHOLE)
        return number


def is_blank(value: object) -> bool:
    """Whether a raw value of a number column is nothing: no value, spaces, or NA, nan, null, ….

    Where a text may be a category, ask first whether it is one.
    """
    return value is None or (isinstance(value, str) and value.strip().casefold() in _BLANK_WORDS)


def is_customer_id(value: object) -> bool:
    """Whether a raw value can be a customer's id: a text that can be stored, or a whole number."""
    if type(value) is str:
        return (
            0 < len(value) <= LONGEST_ID
            and "\0" not in value
            and not value.isspace()
            and (value.isascii() or _can_be_encoded(value))
        )
    return type(value) is int and abs(value) < _BEYOND_IDS


def _as_number(value: object) -> float | None:
    """A number, or the number that a text spells; None for anything else."""
    if isinstance(value, str):
        text = value.strip()
        return float(text) + 0.0 if _NUMBER.fullmatch(text) else None
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        return None
    try:
        return float(value) + 0.0  # -0.0 becomes 0.0: one number, one spelling
    except OverflowError:  # a whole number beyond every float
        return inf
    except ValueError:  # a decimal that signals that it is no number
        return nan


def _whole_digits(value: object) -> str:
    """The digits of a whole number, whatever type carries it; no text if it is none."""
    if isinstance(value, str):
        found = _WHOLE.fullmatch(value)
        return str(int(found[1] or 0)) if found else ""
    if isinstance(value, Integral):
        whole = int(value)
        return str(whole) if whole.bit_length() <= _WIDEST else ""
    number = _as_number(value)
    if number is None or not number.is_integer() or abs(number) > LARGEST_WHOLE:
        return ""
    return str(int(number))


def _can_be_encoded(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return True
