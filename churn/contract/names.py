"""Names of columns and fields that a table or a request spells otherwise than the contract."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from churn.contract.refusals import quote_text
from churn.errors import did_you_mean

_NAMED = 3
# What pandas, R and others call the row numbers that they write along.
_INDEX = re.compile(
    r"|unnamed:? ?\d+[.\d]*|__index_level_\d+__|index|level_\d+|row[._]?names|\.\.\.\d+|x",
    re.IGNORECASE,
)


def respelt(found: Iterable[str], expected: Iterable[str]) -> dict[str, str]:
    """Found name -> the expected one that it equals but for case, spaces and punctuation.

    Left out: a name spelt as expected, and one whose expected name is found otherwise, too.
    """
    found, expected = set(found), set(expected)
    plain = {_bare(name): name for name in expected - found}
    pairs = {name: plain[_bare(name)] for name in sorted(found - expected) if _bare(name) in plain}
    times = Counter(pairs.values())
    return {name: own for name, own in pairs.items() if times[own] == 1}


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that is spelt most like a name, whatever its case and punctuation."""
    plain = {_bare(candidate): candidate for candidate in candidates}
    near = did_you_mean(_bare(name), plain, cutoff=0.75)
    return plain[near] if near is not None else None


def is_index(name: str) -> bool:
    """Whether a name is what tools call the row numbers that they write along."""
    return _INDEX.fullmatch(name) is not None


def respelt_as(pairs: Mapping[str, str]) -> str:
    """The first pairs of a found and an expected name in print, and how many more there are."""
    first = [f"{quote_text(found)} is '{own}'" for found, own in list(pairs.items())[:_NAMED]]
    more = f" and {len(pairs) - _NAMED:,} more" if len(pairs) > _NAMED else ""
    return ", ".join(first) + more


def listed(names: Sequence[str], most: int = _NAMED) -> str:
    """The first names in quotes, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(quote_text, names[:most])) + more


def _bare(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
