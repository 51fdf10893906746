"""What kind of column some texts are, and what the contract says about it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.contract.columns import MAXIMUM_CATEGORIES
from churn.contract.names import is_index
from churn.contract.refusals import quote_text
from churn.drafting.id_and_target import numbers_the_rows
from churn.drafting.text_column import TextColumn

_FLAGS = (("no", "yes"), ("0", "1"), ("0.0", "1.0"), ("false", "true"), ("n", "y"), ("f", "t"))
_CODE = re.compile(r"(.* )?(code|zip|zipcode|postcode|area|region|branch)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}.*", re.DOTALL)
_OTHER_DAY = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}( .*)?")
_AMOUNT = re.compile(r"[€$£]? ?[-+]?\d[\d.,' ]*[€$£%]?")
_OBSERVED = re.compile(
    r"(.* )?(snapshot|observed|observation|as of|report(ing)?|extract\w*)( .*)?|date|day|month"
)
_FEW, _LONG = 12, 60
_UNITS = (
    "minutes",
    "hours",
    "days",
    "weeks",
    "months",
    "years",
    "calls",
    "messages",
    "visits",
    "orders",
)
_WIDER = 2.0  # the next table may hold twice as much


def draft_column(column: TextColumn) -> dict[str, Any] | str:
    """A feature or date column as a contract file says it, or why it is left out."""
    texts = column.texts
    why = _no_information(column)
    if why:
        return why
    if all(map(_is_day, texts)):
        return _date(column)
    if all(_OTHER_DAY.fullmatch(text) for text in texts) and column.numbers is None:
        return (
            "it holds dates. Put days or months before the export in the file instead, as a number"
        )
    flag = None if column.empty.any() else _flag(column)
    if flag:
        return flag
    if column.numbers is not None and not _is_code(column):
        return _number(column, column.numbers)
    return _category(column)


def _no_information(column: TextColumn) -> str | None:
    """Why a column is left out before its kind is looked for; None where it is not."""
    texts = column.texts
    if not texts:
        return "every cell is blank"
    if len(texts) == 1 and not column.empty.any():
        return "it has one value in every row, so it tells nobody apart"
    if column.unique and (is_index(column.name) or numbers_the_rows(column)):
        return "it only numbers the rows"
    if column.numbers is None and all(map(_AMOUNT.fullmatch, texts)):
        return (
            "it holds numbers that are not written in plain digits. Write them without signs of money, "
            "percent or thousands, and with a point for decimals"
        )
    return None


def allow_blanks(
    blank: NDArray[np.bool_], numbers: Mapping[str, NDArray[np.float64]]
) -> dict[str, Any] | str:
    """The rule by which another number says where a number is blank, or why it is left out.

    Args:
        blank: Where it is blank, bool[n].
        numbers: The number columns that are blank nowhere, float64[n] each.
    """
    for name, other in numbers.items():
        beside = np.unique(other[blank])
        if len(beside) == 1 and (blank == (other == beside[0])).all():
            return {"only_when": name, "equals": float(beside[0]), "value": 0.0}
    return (
        f"a number is blank in {int(blank.sum()):,} rows, and no other column says why. Fill the "
        "cells in, or leave those rows out of the file"
    )


def is_day_of_row(column: TextColumn) -> bool:
    """Whether a column is, by name and cells, the day that a row describes its customer on."""
    named = _OBSERVED.fullmatch(column.words) and not column.empty.any()
    return bool(named) and len(column.texts) > 1 and all(map(_is_day, column.texts))


def _date(column: TextColumn) -> dict[str, Any] | str:
    if not is_day_of_row(column):
        return (
            "it holds dates. Put days or months before the export in the file instead, as a number; "
            "or describe it with `kind: date` if it is the day that the row describes its customer on"
        )
    question = "is this the day that the row describes its customer on, not one on which something happened?"
    return _drafted(column, "date", {"confirm": question})


def _flag(column: TextColumn) -> dict[str, Any] | None:
    spelt = {text.casefold(): text for text in column.texts}
    for no, yes in _FLAGS:
        if len(column.texts) == 2 and set(spelt) == {no, yes}:  # noqa: PLR2004 - a flag has two
            return _drafted(column, "flag", {"no_value": spelt[no], "yes_value": spelt[yes]})
    return None


def _number(column: TextColumn, numbers: NDArray[np.float64]) -> dict[str, Any] | str:
    least, most = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    if least == most:
        return "it has one value wherever it is not blank"
    fields: dict[str, Any] = {
        "unit": next((unit for unit in _UNITS if unit in column.words.split()), "units"),
        "minimum": -round_up(-least * _WIDER) if least < 0 else 0,
        "maximum": round_up(most * _WIDER) if most > 0 else 0,
    }
    if column.whole:
        fields["integer"] = True
    return _drafted(column, "number", fields)


def _category(column: TextColumn) -> dict[str, Any] | str:
    texts = sorted(column.texts)
    if any("@" in text for text in texts):
        return "it holds addresses of persons"
    free = any(len(text) > _LONG or "\n" in text for text in texts)
    if free or len(texts) > MAXIMUM_CATEGORIES or len(texts) > max(_FEW, column.rows // 4):
        return (
            f"it holds {len(texts):,} different texts, too many for categories: free text, names or "
            f"codes. Group them into at most {MAXIMUM_CATEGORIES} words in the file to use it"
        )
    if column.empty.any():
        rows = int(column.empty.sum())
        return (
            f"{rows:,} cell{'s are' if rows > 1 else ' is'} blank. Write a word such as 'unknown' "
            "into blank cells to use it"
        )
    if len(texts) < 2:  # noqa: PLR2004 - a category needs two
        return f"it has the one value {quote_text(texts[0])}"
    if {"no", "yes"} <= {text.casefold() for text in texts}:
        texts.sort(key=lambda text: (text.casefold() != "no", text.casefold() != "yes"))
    return _drafted(column, "category", {"categories": texts})


def _drafted(column: TextColumn, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    meaning = column.words.capitalize() or "Not said"
    return {"name": column.name, "kind": kind, "meaning": meaning, **fields}


def _is_day(text: str) -> bool:
    try:
        return _DAY.fullmatch(text) is not None and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def _is_code(column: TextColumn) -> bool:
    """Whether digits name something rather than count it: 00501, or an area code."""
    padded = any(re.fullmatch(r"0\d+", text) for text in column.texts)
    return padded or (bool(_CODE.fullmatch(column.words)) and column.whole)


def round_up(number: float) -> float | int:
    """The next 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(number))
    rounded = next((step * power for step in (1, 2, 5, 10) if step * power >= number), number)
    return int(rounded) if rounded >= 1 and rounded.is_integer() and rounded < 1e15 else rounded  # noqa: PLR2004
