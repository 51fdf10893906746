"""One column of a table that no contract describes yet: its different texts, and where they stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.contract import NumberColumn
from churn.contract.values import LARGEST_WHOLE, Fault, NumberReader, RefusedValue
from churn.data.intake.typed_columns import trimmed

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ANY_NUMBER = NumberReader(
    NumberColumn(
        name="any", meaning="any number", kind="number", unit="-", minimum=-1e308, maximum=1e308
    )
)


@dataclass(frozen=True, eq=False)
class TextColumn:
    """A column's cells, without the spaces around them.

    Attributes:
        name: The column's name.
        different: Its different texts, in the order in which they first appear.
        places: The place of each row's text among them, intp[n].
    """

    name: str
    different: tuple[str, ...]
    places: NDArray[np.intp]

    @cached_property
    def words(self) -> str:
        """The name in lower-case words: `MonthlyCharges` is `monthly charges`."""
        return name_words(self.name)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The different texts that are not empty."""
        return tuple(text for text in self.different if text)

    @cached_property
    def empty(self) -> NDArray[np.bool_]:
        """Which cells are empty, bool[n]."""
        return self.where(lambda text: not text)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.places)

    def where(self, holds: Callable[[str], bool]) -> NDArray[np.bool_]:
        """Which rows hold a text with some property, bool[n]."""
        found: NDArray[np.bool_] = np.array([holds(text) for text in self.different], np.bool_)
        return found[self.places]

    @cached_property
    def numbers(self) -> NDArray[np.float64] | None:
        """The cells as numbers, NaN where blank, float64[n]; None if one is neither."""
        values = np.full(len(self.different), np.nan)
        for place, text in enumerate(self.different):
            try:
                values[place] = _ANY_NUMBER.read(text)
            except RefusedValue as refused:
                if refused.fault is not Fault.BLANK:
                    return None
        return values[self.places] if np.isfinite(values).any() else None

    @cached_property
    def whole(self) -> bool:
        """Whether the cells are whole numbers, blanks aside."""
        if self.numbers is None:
            return False
        given = self.numbers[~np.isnan(self.numbers)]
        return bool((np.abs(given) <= LARGEST_WHOLE).all() and (given == np.floor(given)).all())

    @cached_property
    def unique(self) -> bool:
        """Whether every row has a text of its own."""
        return len(self.texts) == self.rows


def text_columns(table: Any) -> tuple[TextColumn, ...]:
    """The columns of a raw pyarrow table of texts, spaces around their names dropped."""
    columns = []
    for name, cells in zip(table.column_names, table.columns, strict=True):
        coded = trimmed(cells).dictionary_encode()
        places = coded.indices.to_numpy(zero_copy_only=False).astype(np.intp)
        columns.append(TextColumn(name.strip(), tuple(coded.dictionary.to_pylist()), places))
    return tuple(columns)


def name_words(name: str) -> str:
    """A column's name in lower-case words."""
    return " ".join(_WORDS.findall(name)).lower()


def named(columns: Sequence[TextColumn], name: str) -> TextColumn | None:
    """The column of that name; None if there is none."""
    return next((column for column in columns if column.name == name), None)
