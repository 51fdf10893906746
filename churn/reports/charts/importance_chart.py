"""Which columns move a model's predictions, and how far: one bar per column."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from churn.reports.charts.chart_style import LIGHT, Theme, blank_chart, draw_ranked_bars, label_axes

_ROW_HEIGHT = 0.27


def importance_chart(recipe: str, importance: Mapping[str, float], theme: Theme = LIGHT) -> Figure:
    """Mean absolute contribution of every column, in log-odds, the strongest on top."""
    ranked = sorted(importance.items(), key=lambda entry: (-entry[1], entry[0]))
    figure, axes = blank_chart(
        _finding(recipe, ranked), theme, height=1.5 + _ROW_HEIGHT * len(ranked)
    )
    draw_ranked_bars(axes, theme, ranked, height=0.66, form=".2f")
    label_axes(axes, theme, x="mean absolute contribution to a score, log-odds")
    return figure


def _finding(recipe: str, ranked: list[tuple[str, float]]) -> str:
    (first, most), *others = ranked
    if not others:
        return f"{first} alone moves {recipe}'s scores: by {most:.2f} on average"
    second, next_most = others[0]
    return (
        f"{first} and {second} move {recipe}'s scores most: by {most:.2f} and {next_most:.2f} "
        "on average"
    )
