"""A section of a model card: sentences and cells, with every figure already formatted.

Markdown and HTML are rendered from the same sections, so both have the same content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from churn.evaluation.intervals import Interval
from churn.frozen_model import FrozenModel


class CardTable(FrozenModel):
    """A table: as many cells in each row as there are titles in the header."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class CardSection(FrozenModel):
    """One section.

    Attributes:
        sentences: findings, most important first.
        facts: name -> value.
        commands: what each does, and the command.
        pictures: names of the charts shown with it, where charts can be shown.
        assumptions: what its figures take for granted.
        missing: what belongs here and was not given, a sentence each.
    """

    title: str
    sentences: tuple[str, ...] = ()
    facts: dict[str, str] = Field(default_factory=dict)
    tables: tuple[CardTable, ...] = ()
    commands: dict[str, str] = Field(default_factory=dict)
    pictures: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def summary_section(
    title: str,
    report: Any,
    *,
    rows: Sequence[Mapping[str, Any]] | None = None,
    most_rows: int = 25,
) -> CardSection:
    """Makes a section of a report's own sentences and table.

    Args:
        title: the section's heading.
        report: has `sentences` or `sentence`; optionally `table()`, and `assumptions`.
        rows: rows of its table, one mapping each; default what `table()` gives.
        most_rows: most rows of the table; a sentence says how many there are beyond.

    Raises:
        TypeError: the report has neither sentences nor a sentence.
    """
    text = getattr(report, "sentences", None) or getattr(report, "sentence", None)
    if text is None:
        raise TypeError(f"{type(report).__name__} has neither sentences nor a sentence")
    sentences = (text,) if isinstance(text, str) else tuple(text)
    if rows is None:
        rows = report.table() if hasattr(report, "table") else []
    if len(rows) > most_rows:
        sentences += (f"The table shows {most_rows} of {len(rows):,} rows.",)
    return CardSection(
        title=title,
        sentences=sentences,
        tables=(table_from_rows(title, rows[:most_rows]),) if rows else (),
        assumptions=tuple(getattr(report, "assumptions", ())),
    )


def table_from_rows(caption: str, rows: Sequence[Mapping[str, Any]]) -> CardTable:
    """Makes a table of mappings, each a row; titles are the keys in order of appearance."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return CardTable(
        caption=caption,
        header=tuple(key.replace("_", " ") for key in keys),
        rows=tuple(tuple(format_cell(row.get(key)) for key in keys) for row in rows),
    )


def format_cell(value: Any) -> str:
    """Returns a value as text for a table: four significant figures, empty for None."""
    if value is None:
        return ""
    if isinstance(value, bool | str):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def format_interval(interval: Interval | None, form: str = ".4f") -> str:
    """Returns an interval as text for a table."""
    return interval.span(form) if interval else "not computed"
