"""Keeps customers' ids out of sentences, reports and logs, wherever in a table they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

_DIGITS = 3  # as many in one text, and it is a code rather than a category
_LONG_NUMBER = 5  # digits of a number that may be an id
_REPEATED = 0.5  # a column with fewer different values a row holds no ids
_AMOUNT = re.compile(r"[-+]?\W?[\d.,'_ ]+(e[-+]?\d+)?\s*\D{0,4}", re.IGNORECASE)


class HiddenValue:
    """Replaces a value that may not be shown in a sentence."""

    def __str__(self) -> str:
        return "a value that may be a customer's id"


HIDDEN = HiddenValue()


class IdMask:
    """Says which values may not be shown, because they are or look like customers' ids.

    A value is hidden if it is an id of a known table, or has the letters, digits and marks of
    one; or, whatever the ids are like, if it is an address or a code rather than a word or an
    amount. If the id column itself holds no ids, as in a file whose cells have moved, no text is
    shown at all.
    """

    def __init__(self, *tables: Iterable[object]) -> None:
        """Learns what ids look like.

        Args:
            tables: The id column of the table that is checked, then those of other known tables.
        """
        self._ids: set[str] = set()
        self._lengths: dict[str, tuple[int, int]] = {}
        self._moved = False
        for place, column in enumerate(tables):
            values = [_text(value) for value in column]
            different = set(values)
            if place == 0:
                self._moved = len(different) < _REPEATED * len(values)
            self._ids |= different
        for text in self._ids:
            least, most = self._lengths.get(shape := _shape(text), (len(text), len(text)))
            self._lengths[shape] = (min(least, len(text)), max(most, len(text)))

    def hides(self, value: object) -> bool:
        """Whether a value may not be shown."""
        text = _text(value)
        if not text or (not isinstance(value, str) and _digits(text) < _LONG_NUMBER):
            return False
        least, most = self._lengths.get(_shape(text), (1, 0))
        if text in self._ids or least <= len(text) <= most:
            return True
        return isinstance(value, str) and (self._moved or _is_code(text))


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _shape(text: str) -> str:
    """A text with each run of letters as A, each run of digits as 9, and its marks."""
    kinds = ("A" if each.isalpha() else "9" if each.isdigit() else each for each in text)
    return "".join(kind for kind, _ in groupby(kinds))


def _is_code(text: str) -> bool:
    """Whether a text is an address or a code: no word, and no amount of anything."""
    return "@" in text or (_digits(text) >= _DIGITS and not _AMOUNT.fullmatch(text))


def _digits(text: str) -> int:
    return sum(each.isdigit() for each in text)
