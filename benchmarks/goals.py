"""A goal, the figure it was measured at, and the table that shows both."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One goal and how it was met.

    Attributes:
        goal: What is measured, in words.
        limit: The figure may not exceed this.
        unit: Of limit and values: "s", "s CPU", "%", "GB".
        values: One per run; their median is the figure.
        how: What was run and how the figure was taken.
        binding: False where the run was made smaller (`--quick`), so that the limit is not its own.
    """

    goal: str
    limit: float
    unit: str
    values: tuple[float, ...]
    how: str
    binding: bool = True

    @property
    def median(self) -> float:
        """The figure."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool:
        """Whether the figure stays within the limit."""
        return self.median <= self.limit

    @property
    def verdict(self) -> str:
        """`met`, `MISSED`, or that this run says nothing about the goal."""
        if not self.binding:
            return "not judged"
        return "met" if self.met else "MISSED"


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table: goal, limit, median, spread, verdict, how."""
    rows = [["goal", "limit", "median", "lowest to highest", "verdict", "how it was taken"]]
    rows += [
        [
            figure.goal,
            f"{figure.limit:g} {figure.unit}",
            f"{figure.median:.3g} {figure.unit}",
            f"{min(figure.values):.3g} to {max(figure.values):.3g} ({len(figure.values)} runs)"
            if len(figure.values) > 1
            else "1 run",
            figure.verdict,
            figure.how,
        ]
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
