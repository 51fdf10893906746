"""Where a fault of a file is: its cell, its columns, and the contract that describes them."""

from __future__ import annotations

from collections.abc import Iterable

from churn.contract import DataContract
from churn.contract.refusals import quote_text

_NAMED = 3


def quote_names(names: Iterable[str]) -> str:
    """The first few names in quotes, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - _NAMED:,} more" if len(every) > _NAMED else ""
    return ", ".join(quote_text(name) for name in every[:_NAMED]) + more


def place_of(column: str, row: int, more: int = 0) -> str:
    """Returns where a value is.

    Args:
        column: The column's name.
        row: Counted from 0; the sentence counts from 1, the first customer below the header.
        more: In how many further rows the same is wrong.
    """
    others = f" and {more:,} more row{'s' if more > 1 else ''}" if more else ""
    return f"Column '{column}' row {row + 1}{others}"


def contract_file(contract: DataContract) -> str:
    """The file that a contract of that name is kept in."""
    return f"data/contracts/{contract.name}.yaml"
