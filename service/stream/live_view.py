"""The live view of a stream: what it looks like on a terminal, and as one line."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from service.stream.live_figures import LiveFigures
from service.stream.shown_reasons import ShownReasons

WIDTH = 80
_UNKNOWN = "-"
_BAR = 40


def render_view(figures: LiveFigures, reasons: ShownReasons, title: str) -> RenderableType:
    """The whole view, at most 80 columns wide."""
    return Group(
        Text(title, style="bold"),
        Text("q ends it.", style="dim"),
        Text(),
        _numbers(figures),
        Text(),
        _risk_mix(figures),
        Text(),
        _high_risk(figures, reasons),
    )


def one_line(figures: LiveFigures) -> str:
    """The figures on one line, for where there is no terminal."""
    mix = ", ".join(f"{_words(name)} {share:.0%}" for name, share in figures.risk_mix().items())
    return (
        f"{figures.scores_a_second:.0f} scores/s, lag {_number(figures.lag)}, p50 "
        f"{_milliseconds(figures.latency(0.5))}, p99 {_milliseconds(figures.latency(0.99))}, {mix}, "
        f"{figures.scored} scored, {figures.rejected} rejected"
    )


def _numbers(figures: LiveFigures) -> Table:
    table = Table.grid(padding=(0, 3))
    table.add_row("scores/s", "lag", "latency p50", "p99", "scored", "rejected", style="dim")
    table.add_row(
        f"{figures.scores_a_second:.0f}",
        _number(figures.lag),
        _milliseconds(figures.latency(0.5)),
        _milliseconds(figures.latency(0.99)),
        _number(figures.scored),
        _number(figures.rejected),
        style="bold",
    )
    return table


def _risk_mix(figures: LiveFigures) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, share in figures.risk_mix().items():
        bar = ProgressBar(total=1, completed=share, width=_BAR)
        table.add_row(f"{_words(name)} risk", bar, f"{share:.0%}")
    return table


def _high_risk(figures: LiveFigures, reasons: ShownReasons) -> Table:
    table = Table(width=WIDTH, box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("latest at high risk", no_wrap=True, max_width=24)
    table.add_column("risk", justify="right")
    table.add_column("why")
    for each in figures.high:
        facts = [sentence.partition(":")[0] for sentence in reasons.sentences(each)]
        why = Text("; ".join(facts)) if facts else Text("not known", style="dim")
        # An id is foreign text, which may hold what steers a terminal.
        name = "".join(one if one.isprintable() else "?" for one in each.scored.customer)
        table.add_row(Text(name), f"{each.scored.answer.probability:.0%}", why)
    return table


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: int | None) -> str:
    return _UNKNOWN if value is None else f"{value:,}"


def _milliseconds(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:,.0f} ms"
