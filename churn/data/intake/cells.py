"""From text cells to typed columns: what the contract's kinds accept, and how they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn.contract import CategoryColumn, DataContract, FlagColumn, NumberColumn, TargetColumn
from churn.data.intake.wording import cell, contract_file, shown
from churn.errors import InputError

Mask = NDArray[np.bool_]

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_NOT_FINITE = r"(?i)^[+-]?(inf|infinity|nan|1\.#(inf|qnan))$"
_LARGEST_WHOLE = 2.0**53  # beyond it float64 skips whole numbers


def trimmed(texts: Any) -> Any:
    """A text column without the spaces around its values; a null is an empty text."""
    return pc.fill_null(pc.utf8_trim_whitespace(texts), "").combine_chunks()


def ids(texts: Any, name: str) -> pd.Series[Any]:
    """The identifiers as texts, object[n].

    Raises:
        InputError: one is blank.
    """
    blank = _mask(pc.equal(texts, ""))
    if blank.any():
        row, more = _first(blank)
        raise InputError(
            f"{cell(name, row, more)}: the customer's identifier is blank. Fill it in, or leave "
            "the row out."
        )
    return pd.Series(texts.to_numpy(zero_copy_only=False), name=name, dtype=object)


def categories(
    texts: Any, column: CategoryColumn | FlagColumn | TargetColumn, contract: DataContract
) -> pd.Series[Any]:
    """One of a closed list of texts, categorical[n] in the list's order.

    Raises:
        InputError: a value is blank or not in the list.
    """
    listed = [category.strip() for category in column.categories]
    codes = pc.fill_null(pc.index_in(texts, value_set=pa.array(listed, pa.string())), -1)
    codes = codes.to_numpy(zero_copy_only=False)
    unknown: Mask = codes < 0
    if unknown.any():
        value = texts[_first(unknown)[0]].as_py()
        row, more = _first(_mask(pc.equal(texts, value)))
        among = ", ".join(column.categories)
        if value == "":
            raise InputError(
                f"{cell(column.name, row, more)}: the cell is blank, but must be one of {among}. "
                "Fill it in, or leave the row out."
            )
        raise InputError(
            f"{cell(column.name, row, more)}: {shown(value)} is not one of {among}. "
            f"Fix the file or add the category to {contract_file(contract)}."
        )
    dtype = pd.CategoricalDtype(list(column.categories))
    return pd.Series(pd.Categorical.from_codes(codes, dtype=dtype), name=column.name)


def numbers(texts: Any, column: NumberColumn, other: Any | None) -> pd.Series[Any]:
    """Finite numbers, float64[n], or int64[n] for a column of whole numbers.

    Args:
        texts: The column's cells, trimmed.
        column: What the contract says of it.
        other: The cells of the column that its blank rule looks at, trimmed; None without a rule.

    Raises:
        InputError: a value is no number, not finite, not whole where it must be, or blank where
            it must not be.
    """
    blank = _mask(pc.equal(texts, ""))
    if blank.any():
        _require_allowed(blank, column, other)
    number = _mask(pc.match_substring_regex(texts, _NUMBER))
    wrong = ~(number | blank)
    if wrong.any():
        row, more = _first(wrong)
        value = texts[row].as_py()
        endless = bool(pc.match_substring_regex(pa.scalar(value), _NOT_FINITE).as_py())
        raise InputError(
            f"{cell(column.name, row, more)}: {shown(value)} is not a "
            f"{'finite ' if endless else ''}number. Write it in digits, with a point for decimals."
        )
    filled = pc.utf8_ltrim(pc.if_else(pa.array(blank), "0", texts), characters="+")
    values: NDArray[np.float64] = pc.cast(filled, pa.float64()).to_numpy(zero_copy_only=False)
    if blank.any() and column.blank is not None:
        values = np.where(blank, column.blank.value, values)
    _require_finite(values, texts, column)
    values = values + 0.0  # -0.0 becomes 0.0: one number, one spelling
    if not column.integer:
        return pd.Series(values, name=column.name)
    _require_whole(values, texts, column)
    return pd.Series(values.astype(np.int64), name=column.name)


def _require_allowed(blank: Mask, column: NumberColumn, other: Any | None) -> None:
    rule = column.blank
    if rule is None or other is None:
        row, more = _first(blank)
        raise InputError(
            f"{cell(column.name, row, more)}: the cell is blank. Fill in the {column.unit}, or "
            "leave the row out."
        )
    number = pc.match_substring_regex(other, _NUMBER)
    decimal = pc.cast(pc.utf8_ltrim(pc.if_else(number, other, None), characters="+"), pa.float64())
    allowed = _mask(pc.fill_null(pc.equal(decimal, rule.equals), False))
    wrong = blank & ~allowed
    if wrong.any():
        row, more = _first(wrong)
        raise InputError(
            f"{cell(column.name, row, more)}: the cell is blank, which is allowed only where "
            f"'{rule.only_when}' is {rule.equals:g}. Fill in the {column.unit}, or leave the row "
            "out."
        )


def _require_finite(values: NDArray[np.float64], texts: Any, column: NumberColumn) -> None:
    endless = ~np.isfinite(values)
    if endless.any():
        row, more = _first(endless)
        raise InputError(
            f"{cell(column.name, row, more)}: {shown(texts[row].as_py())} is too large for a "
            "finite number. Fix the file."
        )


def _require_whole(values: NDArray[np.float64], texts: Any, column: NumberColumn) -> None:
    broken = (values != np.floor(values)) | (np.abs(values) > _LARGEST_WHOLE)
    if broken.any():
        row, more = _first(broken)
        raise InputError(
            f"{cell(column.name, row, more)}: {shown(texts[row].as_py())} is not a whole number of "
            f"{column.unit}. Round it in the file."
        )


def _mask(values: Any) -> Mask:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _first(mask: Mask) -> tuple[int, int]:
    """The first row that is set, from 0, and how many more are."""
    return int(np.argmax(mask)), int(mask.sum()) - 1
