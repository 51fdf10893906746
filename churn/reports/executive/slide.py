"""What a slide is made of, and its charts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from churn.reports.executive.evidence import Evidence

ASSUMED = "Assumed, not measured"


@dataclass(frozen=True)
class Chart:
    """A native chart.

    Attributes:
        kind: bars lie, columns stand, lines run.
        title: of the values' axis, with its unit.
        categories: names.
        series: name -> values, one for each category.
        form: number format of Excel.
        alt: what it shows, for who does not see it.
    """

    kind: Literal["bars", "columns", "lines"]
    title: str
    categories: tuple[str, ...]
    series: dict[str, tuple[float, ...]]
    form: str
    alt: str


@dataclass(frozen=True)
class Table:
    """A table, its header first; `alt` says what it shows."""

    rows: tuple[tuple[str, ...], ...]
    alt: str


@dataclass(frozen=True)
class Slide:
    """One slide.

    Attributes:
        title: its finding.
        lines: what supports it, a sentence each.
        notes: what a speaker says.
        chart, table: at most one of them.
        label: stands beside what is assumed.
    """

    title: str
    lines: tuple[str, ...]
    notes: str
    chart: Chart | None = None
    table: Table | None = None
    label: str = ""


def columns(seen: Evidence, title: str, form: str, paths: dict[str, str], alt: str) -> Chart:
    """A column for each name, its height the figure at the name's path."""
    return _chart("columns", seen, title, form, paths, alt)


def bars(seen: Evidence, title: str, form: str, paths: dict[str, str], alt: str) -> Chart:
    """The same with lying bars."""
    return _chart("bars", seen, title, form, paths, alt)


def _chart(
    kind: Literal["bars", "columns"],
    seen: Evidence,
    title: str,
    form: str,
    paths: dict[str, str],
    alt: str,
) -> Chart:
    values = tuple(float(seen.value(path)) for path in paths.values())
    return Chart(kind, title, tuple(paths), {title: values}, form, alt)


def is_assumed(seen: Evidence) -> bool:
    """Whether any figure rests on what nobody has measured."""
    return any(not each.measured for each in seen.roi.assumptions)
