"""What a column of features holds, in a few figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from churn.frozen_model import FrozenModel

_COUNTS = "counts"
_VALUES = "values"


class ColumnStatistics(FrozenModel):
    """One column.

    Attributes:
        name: of the column.
        kind: Arrow's name of its type.
        lowest: the least number; None for texts and times.
        highest: the greatest number.
        mean: of the numbers.
        deviation: standard deviation of the numbers, all rows counted.
        different: how many different values there are.
        counts: rows of each category; empty for numbers, ids and times.
    """

    name: str
    kind: str
    lowest: float | None = None
    highest: float | None = None
    mean: float | None = None
    deviation: float | None = None
    different: int = 0
    counts: Mapping[str, int] = Field(default_factory=dict)


def column_statistics(rows: pa.Table) -> tuple[ColumnStatistics, ...]:
    """The statistics of every column, in order."""
    return tuple(_statistics(name, rows[name].combine_chunks()) for name in rows.column_names)


def _statistics(name: str, values: Any) -> ColumnStatistics:
    kind = str(values.type)
    if pa.types.is_dictionary(values.type):
        counted = dict.fromkeys(values.dictionary.to_pylist(), 0)
        for each in pc.value_counts(values.indices).to_pylist():
            counted[values.dictionary[each[_VALUES]].as_py()] = each[_COUNTS]
        used = sum(count > 0 for count in counted.values())
        return ColumnStatistics(name=name, kind="category", different=used, counts=counted)
    different = pc.count_distinct(values).as_py()
    if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type)):
        return ColumnStatistics(name=name, kind=kind, different=different)
    extremes = pc.min_max(values).as_py()
    return ColumnStatistics(
        name=name,
        kind=kind,
        lowest=extremes["min"],
        highest=extremes["max"],
        mean=pc.mean(values).as_py(),
        deviation=pc.stddev(values).as_py(),
        different=different,
    )
