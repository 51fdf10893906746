"""How the tables of a business are written where that differs from the contract's own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from churn.contract.columns import Column
from churn.frozen_model import FrozenModel


class Reading(FrozenModel):
    """What is translated while a table is read; a request to the service is never translated.

    Attributes:
        extra: what to do with a column that the contract does not name: refuse the table
            (`strict`), or drop the column (`ignore`).
        rename: the table's name of a column -> the contract's.
        values: column -> the table's text for a value -> the contract's.
        separator: what stands between the cells of a CSV file.
        decimal: the decimal mark of numbers that are written as text.
    """

    extra: Literal["strict", "ignore"] = "strict"
    rename: dict[str, str] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    separator: Literal[",", ";", "\t", "|"] = ","
    decimal: Literal[".", ","] = "."

    def require_fit(self, columns: Sequence[Column]) -> None:
        """Raises `ValueError` where a translation leads to no column or value of the contract."""
        known = {column.name: column for column in columns}
        for theirs, ours in self.rename.items():
            if ours not in known:
                raise ValueError(f"'rename' turns {theirs!r} into the unknown column {ours!r}")
            if theirs in known:
                raise ValueError(f"'rename' names the contract's own column {theirs!r}")
        if len(set(self.rename.values())) < len(self.rename):
            raise ValueError("'rename' turns two columns into one")
        for name, texts in self.values.items():
            _require_values_fit(name, texts, known.get(name))


def _require_values_fit(name: str, texts: Mapping[str, str], column: Column | None) -> None:
    categories = getattr(column, "categories", None)
    if categories is None:
        raise ValueError(f"'values' names {name!r}, which is no column of categories")
    for theirs, ours in texts.items():
        if ours not in categories:
            raise ValueError(f"'values' of {name!r} turns {theirs!r} into {ours!r}, no category")
        # Else a table that is translated already would be translated again.
        if theirs in categories:
            raise ValueError(f"'values' of {name!r} names the contract's own category {theirs!r}")
