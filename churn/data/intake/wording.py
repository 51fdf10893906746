"""How a refusal speaks of cells, counts and foreign text: short, and never of whole rows."""

from __future__ import annotations

from collections.abc import Iterable

from churn.contract import DataContract

_LONGEST = 40
_SHOWN = 3


def shown(value: str) -> str:
    """A foreign text in quotes: printable, its first line, cut where it is long.

    A value of several lines has swallowed other rows; those are nobody's to read.
    """
    line = value.partition("\n")[0][:_LONGEST]
    return repr(line if line == value else f"{line}…")


def listed(names: Iterable[str]) -> str:
    """The first few names in quotes, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - _SHOWN:,} more" if len(every) > _SHOWN else ""
    return ", ".join(shown(name) for name in every[:_SHOWN]) + more


def cell(column: str, row: int, more: int = 0) -> str:
    """Where a value stands.

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
