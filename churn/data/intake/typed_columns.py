"""From text cells to typed columns, as `churn.contract.values` reads them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn.contract import (
    CategoryColumn,
    Column,
    DataContract,
    DateColumn,
    FlagColumn,
    IdColumn,
    NumberColumn,
    TargetColumn,
)
from churn.contract.id_mask import HIDDEN, IdMask
from churn.contract.refusals import cell_sentence, quote_text
from churn.contract.values import (
    PLAIN_ID,
    CategoryReader,
    Fault,
    NumberReader,
    RefusedValue,
    is_blank,
    is_customer_id,
)
from churn.data.intake.header import contract_file
from churn.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Mask = NDArray[np.bool_]

_SAID = 3  # texts of a column that are refused one by one
# What explains most is said first.
_ORDER = (
    (Fault.NOT_A_NUMBER, Fault.ENDLESS_TEXT),
    (Fault.TOO_LARGE,),
    (Fault.NOT_WHOLE,),
)


def trimmed(texts: Any) -> Any:
    """A text column without the spaces around its values; a null is an empty text."""
    filled = pc.fill_null(pc.utf8_trim_whitespace(texts), "")
    return filled.combine_chunks() if isinstance(filled, pa.ChunkedArray) else filled


def _raise(sentence: str) -> None:
    raise InputError(sentence)


class ColumnTyper:
    """Types the columns of one raw table.

    Args:
        texts: The trimmed cells of each column, by name.
        contract: The contract.
        left_out: Columns that the table lacks; their texts are empty.
        on_fault: Called with a sentence about each fault. By default it raises an `InputError`, so the
            first one ends the reading; where it returns, cells at fault become blanks.
    """

    def __init__(
        self,
        texts: dict[str, Any],
        contract: DataContract,
        left_out: Collection[str] = (),
        on_fault: Callable[[str], None] = _raise,
    ) -> None:
        self._texts = texts
        self._contract = contract
        self._left_out = left_out
        self._fault = on_fault

    @classmethod
    def of_table(
        cls, table: Any, contract: DataContract, on_fault: Callable[[str], None] = _raise
    ) -> ColumnTyper:
        """The typer of a raw pyarrow table that has the contract's columns, in its order."""
        nothing = pa.nulls(table.num_rows, pa.string())
        left_out = frozenset(contract.names) - frozenset(table.column_names)
        texts = {
            name: trimmed(nothing if name in left_out else table[name]) for name in contract.names
        }
        return cls(texts, contract, left_out, on_fault)

    def column(self, column: Column) -> pd.Series[Any]:
        """A column's values, as its kind reads them.

        Raises:
            InputError: A cell is not what the contract allows.
        """
        if isinstance(column, IdColumn):
            return self.ids()
        if isinstance(column, DateColumn):
            return self.dates(column)
        if isinstance(column, NumberColumn):
            return self.numbers(column)
        return self.categories(column)

    def ids(self) -> pd.Series[Any]:
        """The identifiers as texts, object[n].

        Raises:
            InputError: One is blank or cannot be stored.
        """
        name = self._contract.id.name
        values: NDArray[np.object_] = self._texts[name].to_numpy(zero_copy_only=False)
        wrong = ~_mask(pc.match_substring_regex(self._texts[name], PLAIN_ID))
        wrong[wrong] = [not is_customer_id(each) for each in values[wrong]]
        if wrong.any():
            blank = wrong.copy()
            blank[wrong] = [is_blank(each) for each in values[wrong]]
            for rows, sentence in (
                (blank, "is blank. Fill it in, or leave the row out."),
                (
                    wrong & ~blank,
                    "is too long to be stored, or no text. Give at most 200 characters.",
                ),
            ):
                if rows.any():
                    self._fault(f"{_place(name, rows)}: the customer's identifier {sentence}")
            values = values.copy()
            values[wrong] = None
        return _series(values, name)

    def dates(self, column: DateColumn) -> pd.Series[Any]:
        """Days as texts, YYYY-MM-DD, object[n]; a time of the day is dropped.

        Raises:
            InputError: A cell is blank or no date of ISO 8601.
        """
        different, places = _different(self._texts[column.name])
        days = np.array([_day(text) for text in different], dtype=object)[places]
        wrong = days == None  # noqa: E711 - of each element
        blank = np.array([is_blank(text) for text in different], np.bool_)[places] & wrong
        if blank.any():
            place = _place(column.name, blank)
            self._fault(f"{place}: the date is blank. Fill it in, or leave the row out.")
        if (strange := wrong & ~blank).any():
            place, text = _place(column.name, strange), different[places[_first(strange)]]
            self._fault(f"{place}: {self._shown(text)} is not a date. Write it as YYYY-MM-DD.")
        return _series(days, column.name)

    def categories(self, column: CategoryColumn | FlagColumn | TargetColumn) -> pd.Series[Any]:
        """One of a closed list of texts, categorical[n] in the list's order.

        Raises:
            InputError: A value is blank or not in the list.
        """
        import pandas as pd

        different, places = _different(self._texts[column.name])
        codes, refused = _read(CategoryReader(column).__getitem__, different)
        # In the order in which they first appear.
        strange = refused.get(Fault.NOT_A_CATEGORY, [])
        for place in strange[:_SAID]:
            refusal = RefusedValue(column, different[place], Fault.NOT_A_CATEGORY)
            self._refuse(refusal, places == place)
        if strange[_SAID:]:
            others, rows = strange[_SAID:], np.isin(places, strange[_SAID:])
            many = f"{len(others):,} more texts are" if len(others) > 1 else "1 more text is"
            self._fault(f"{_place(column.name, rows)}: {many} no category.")
        found: Any = np.nan_to_num(codes, nan=-1).astype(np.int8)[places]
        dtype = pd.CategoricalDtype(list(column.categories))
        return pd.Series(pd.Categorical.from_codes(found, dtype=dtype), name=column.name)

    def numbers(self, column: NumberColumn) -> pd.Series[Any]:
        """Finite numbers, float64[n], or int64[n] for a column of whole numbers.

        Raises:
            InputError: A value is no number, not finite, not whole where it must be, or blank
                where it must not be.
        """
        reader = NumberReader(column)
        different, places = _different(self._texts[column.name])
        read, refused = _read(reader.read_type, different)
        values = read[places]
        if Fault.BLANK in refused:
            blank: Mask = np.isin(places, refused[Fault.BLANK])
            values[blank] = self._blanks(reader, blank)
        for faults in _ORDER:
            those = [place for fault in faults for place in refused.get(fault, ())]
            if those:
                rows = np.isin(places, those)
                place = places[_first(rows)]
                fault = next(fault for fault in faults if place in refused.get(fault, ()))
                self._refuse(RefusedValue(column, different[place], fault), rows)
        whole = column.integer and not np.isnan(values).any()
        return _series(values.astype(np.int64) if whole else values, column.name)

    def _blanks(self, reader: NumberReader, blank: Mask) -> NDArray[np.float64]:
        """The number that each blank cell of a column means, float64[blanks]."""
        column, rule = reader.column, reader.column.blank
        beside = self._texts[rule.only_when if rule else column.name].filter(pa.array(blank))
        different, places = _different(beside)
        values, refused = _read(partial(reader.read_blank, ""), different)
        for fault, those in refused.items():
            wrong = np.zeros(len(blank), np.bool_)
            wrong[blank] = np.isin(places, those)
            text = self._texts[column.name][_first(wrong)].as_py()
            self._refuse(RefusedValue(column, text, fault), wrong)
        return values[places]

    def _refuse(self, refused: RefusedValue, rows: Mask) -> None:
        column = refused.column
        if column.name in self._left_out and isinstance(column, NumberColumn) and column.blank:
            self._fault(
                f"Column '{column.name}' is missing from the file, but {_rows(rows)} cannot do "
                f"without it: a blank is allowed only where '{column.blank.only_when}' is "
                f"{column.blank.equals:g}. Add the column."
            )
            return
        found = self._shown(str(refused.value))
        sentence = cell_sentence(refused, found, contract_file(self._contract))
        self._fault(f"{_place(refused.column.name, rows)}: {sentence}")

    def _shown(self, text: str) -> str:
        """A cell's text in quotes, unless it may be a customer's id."""
        ids = self._texts[self._contract.id.name].to_pylist()
        return str(HIDDEN) if IdMask(ids).hides(text) else quote_text(text)


def _different(texts: Any) -> tuple[list[str], NDArray[np.int64]]:
    """The different texts of a column, and each row's place among them."""
    coded = texts.dictionary_encode()
    return coded.dictionary.to_pylist(), coded.indices.to_numpy(zero_copy_only=False)


def _read(
    read: Callable[[str], float], texts: Iterable[str]
) -> tuple[NDArray[np.float64], dict[Fault, list[int]]]:
    """The number of each text, NaN if it is refused; and the refused texts' places."""
    values: list[float] = []
    refused: dict[Fault, list[int]] = {}
    for place, text in enumerate(texts):
        try:
            values.append(read(text))
        except RefusedValue as error:
            values.append(np.nan)
            refused.setdefault(error.fault, []).append(place)
    return np.array(values, np.float64), refused


def _day(text: str) -> str | None:
    """The day of a date or a time of ISO 8601; None where the text is none."""
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        return None


def _series(values: NDArray[Any], name: str) -> pd.Series[Any]:
    import pandas as pd

    return pd.Series(values, name=name, dtype=values.dtype)


def _mask(values: Any) -> Mask:
    return np.array(values.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _first(rows: Mask) -> int:
    """The first row that is set, from 0."""
    return int(np.argmax(rows))


def _place(column: str, rows: Mask) -> str:
    """Where a fault is."""
    return f"Column '{column}' {_rows(rows)}"


def _rows(rows: Mask) -> str:
    """The first of some rows, counted from 1, and how many more there are."""
    more = int(rows.sum()) - 1
    others = f" and {more:,} more row{'s' if more > 1 else ''}" if more else ""
    return f"row {_first(rows) + 1}{others}"
